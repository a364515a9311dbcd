package legacy

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOutbox_add(t *testing.T) {
	kept := func(data string) outgoing { return outgoing{data: []byte(data)} }
	ephemeral := func(data string) outgoing { return outgoing{data: []byte(data), ephemeral: true} }
	const limit = 10 // bytes, with one for each packet's type
	tests := map[string]struct {
		before []outgoing
		add    outgoing
		fits   bool
		after  []outgoing
	}{
		"a packet to an empty outbox":                           {nil, kept("a"), true, []outgoing{kept("a")}},
		"a packet larger than the limit to an empty outbox":     {nil, kept("0123456789"), true, []outgoing{kept("0123456789")}},
		"a packet up to the limit":                              {[]outgoing{kept("0123")}, kept("5678"), true, []outgoing{kept("0123"), kept("5678")}},
		"a packet one byte over the limit fails":                {[]outgoing{kept("0123")}, kept("56789"), false, []outgoing{kept("0123")}},
		"an ephemeral packet over the limit drops it":           {[]outgoing{kept("0123")}, ephemeral("56789"), true, []outgoing{kept("0123")}},
		"a packet that ephemeral ones make room for":            {[]outgoing{ephemeral("0123"), kept("4")}, kept("56789"), true, []outgoing{kept("4"), kept("56789")}},
		"a packet larger than the limit after an ephemeral one": {[]outgoing{ephemeral("0")}, kept("0123456789"), true, []outgoing{kept("0123456789")}},
		"a packet too large even without ephemeral ones":        {[]outgoing{ephemeral("0"), kept("1234567")}, kept("89"), false, []outgoing{kept("1234567")}},
	}
	for name, test := range tests {
		t.Run("adding "+name, func(t *testing.T) {
			var o outbox
			for _, p := range test.before {
				assert.True(t, o.add(limit, p))
			}
			assert.Equal(t, test.fits, o.add(limit, test.add))
			size := 0
			for _, p := range o.packets {
				size += p.size()
			}
			assert.Equal(t, size, o.bytes)
			assert.Equal(t, test.after, o.take())
			assert.Equal(t, outbox{}, o)
		})
	}
}
