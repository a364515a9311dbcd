package packet_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/packet"
)

func TestAppend(t *testing.T) {
	id := uint64(1<<64 - 1)
	for want, got := range map[string][]byte{
		`^2["a",1]`:                            packet.AppendEvent([]byte("^"), "/", nil, 0, []byte(`["a",1]`)),
		`2["b"]`:                               packet.AppendEvent(nil, "", nil, 0, []byte(`["b"]`)),
		`2/ns,18446744073709551615["a"]`:       packet.AppendEvent(nil, "/ns", &id, 0, []byte(`["a"]`)),
		`52-/ns,18446744073709551615["a"]`:     packet.AppendEvent(nil, "/ns", &id, 2, []byte(`["a"]`)),
		`51-["a"]`:                             packet.AppendEvent(nil, "/", nil, 1, []byte(`["a"]`)),
		`30[]`:                                 packet.AppendAck(nil, "/", 0, 0, []byte(`[]`)),
		`63-/ns,7["a"]`:                        packet.AppendAck(nil, "/ns", 7, 3, []byte(`["a"]`)),
		`0{"sid":"x"}`:                         packet.AppendConnect(nil, "/", []byte(`{"sid":"x"}`)),
		`0/ns,`:                                packet.AppendConnect(nil, "/ns", nil),
		`1`:                                    packet.AppendDisconnect(nil, "/"),
		`1/ns,`:                                packet.AppendDisconnect(nil, "/ns"),
		`4/ns,{"message":"Invalid namespace"}`: packet.AppendConnectError(nil, "/ns", "Invalid namespace", nil),
		`4{"message":"<\"no\">","data":{"code":"EXPIRED"}}`: packet.AppendConnectError(nil, "/", `<"no">`, []byte(`{"code":"EXPIRED"}`)),
		`2/ns,`: packet.AppendHeader(nil, packet.Packet{Type: packet.Event, Namespace: "/ns"}),
	} {
		t.Run(want, func(t *testing.T) { assert.Equal(t, want, string(got)) })
	}

	t.Run("Append allocates nothing if dst has room", func(t *testing.T) {
		dst, args := make([]byte, 0, 64), []byte(`["a"]`)
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			ack := id
			dst = packet.AppendEvent(dst[:0], "/chat", &ack, 0, args)
		}))
		assert.Equal(t, `2/chat,18446744073709551615["a"]`, string(dst))
	})
}

func TestMarshal(t *testing.T) {
	t.Run("the text is that of JSON.stringify: no HTML escapes, no line break at the end", func(t *testing.T) {
		got, err := packet.Marshal(map[string]any{"html": "<a href='x'>&amp;</a>\n", "n": 1})
		require.NoError(t, err)
		assert.Equal(t, `{"html":"<a href='x'>&amp;</a>\n","n":1}`, string(got))
	})
	t.Run("a value that JSON cannot express is an error", func(t *testing.T) {
		_, err := packet.Marshal(make(chan int))
		assert.Error(t, err)
	})
}
