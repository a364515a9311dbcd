package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/wire"
)

const (
	partial = `["message_delivered",{"conversationId":"c","messageId":"m","seq":7,"expected":3,"delivered":2,` +
		`"pending":["u"],"status":"partial","timestamp":"2026-01-02T03:04:05.678Z"}]`
	typing = `["typing",{"conversationId":"c","userId":"u","isTyping":false,"timestamp":"2026-01-02T03:04:05.678Z"}]`
)

func TestDecodeReport(t *testing.T) {
	r, err := wire.DecodeReport([]byte(partial), "c")
	require.NoError(t, err)
	assert.Equal(t, wire.Report{
		ConversationID: "c", MessageID: "m", Seq: 7, Expected: 3, Delivered: 2, Pending: []string{"u"},
		Status: "partial", Timestamp: "2026-01-02T03:04:05.678Z",
	}, r)
	for name, change := range map[string][2]string{
		"of another conversation":          {`"c"`, `"d"`},
		"without its message":              {`"m"`, `""`},
		"without seq":                      {`7`, `0`},
		"whose numbers do not add up":      {`"delivered":2`, `"delivered":3`},
		"that says complete and is not":    {`"partial"`, `"complete"`},
		"whose pending are not there":      {`["u"]`, `null`},
		"with a time without milliseconds": {`05.678Z`, `05Z`},
		"that is no array":                 {`["message_delivered",`, `{"message_delivered":`},
		"with another type inside":         {`"expected":3`, `"expected":"3"`},
	} {
		t.Run("a report "+name+" is an error", func(t *testing.T) {
			_, err := wire.DecodeReport([]byte(strings.Replace(partial, change[0], change[1], 1)), "c")
			assert.Error(t, err)
		})
	}
	_, err = wire.DecodeReport([]byte(`["message_delivered"]`), "c")
	assert.Error(t, err)
}

func TestCheckTyping(t *testing.T) {
	require.NoError(t, wire.CheckTyping([]byte(typing), "c"))
	for name, change := range map[string][2]string{
		"of another conversation":   {`"c"`, `"d"`},
		"of nobody":                 {`"u"`, `""`},
		"that does not say whether": {`"isTyping":false,`, ``},
		"at no time":                {`2026-01-02T`, `2026-01-02 `},
	} {
		t.Run("typing "+name+" is an error", func(t *testing.T) {
			assert.Error(t, wire.CheckTyping([]byte(strings.Replace(typing, change[0], change[1], 1)), "c"))
		})
	}
}

func TestAppendAck(t *testing.T) {
	assert.Equal(t, "4312[]", string(wire.AppendAck(nil, 12)))
	assert.Equal(t, `42["typing",{}]`, string(wire.AppendEvent(nil, wire.NoID, "typing", []byte("{}"))))
}

func FuzzDecodeReport(f *testing.F) {
	f.Add([]byte(partial))
	f.Add([]byte(typing))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = wire.CheckTyping(b, "c")
		if r, err := wire.DecodeReport(b, "c"); err == nil {
			require.Equal(t, r.Expected, r.Delivered+len(r.Pending))
		}
	})
}
