package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/test/load/internal/wire"
)

func TestParsePacket(t *testing.T) {
	for text, want := range map[string]wire.Packet{
		`0{"sid":"a"}`:            {Kind: wire.Open, ID: wire.NoID, Body: []byte(`{"sid":"a"}`)},
		`1`:                       {Kind: wire.Close, ID: wire.NoID},
		`2`:                       {Kind: wire.Ping, ID: wire.NoID},
		`6`:                       {Kind: wire.Noop, ID: wire.NoID},
		`40{"sid":"b","pid":"c"}`: {Kind: wire.Connected, ID: wire.NoID, Body: []byte(`{"sid":"b","pid":"c"}`)},
		`41`:                      {Kind: wire.Disconnected, ID: wire.NoID},
		`42["typing",{}]`:         {Kind: wire.Event, ID: wire.NoID, Body: []byte(`["typing",{}]`)},
		`4217["message",{}]`:      {Kind: wire.Event, ID: 17, Body: []byte(`["message",{}]`)},
		`430[{"ok":true}]`:        {Kind: wire.Ack, ID: 0, Body: []byte(`[{"ok":true}]`)},
		`4312345[]`:               {Kind: wire.Ack, ID: 12345, Body: []byte(`[]`)},
		`43[]`:                    {Kind: wire.Unknown, ID: wire.NoID, Body: []byte(`[]`)},
		`44{"message":"no"}`:      {Kind: wire.Refused, ID: wire.NoID, Body: []byte(`{"message":"no"}`)},
		``:                        {Kind: wire.Unknown, ID: wire.NoID},
		`4`:                       {Kind: wire.Unknown, ID: wire.NoID},
		`9x`:                      {Kind: wire.Unknown, ID: wire.NoID, Body: []byte(`x`)},
		`451-["b"]`:               {Kind: wire.Unknown, ID: wire.NoID, Body: []byte(`1-["b"]`)},
	} {
		t.Run(text+" is read", func(t *testing.T) {
			got := wire.ParsePacket([]byte(text))
			assert.Equal(t, want.Kind, got.Kind)
			assert.Equal(t, want.ID, got.ID)
			assert.Equal(t, string(want.Body), string(got.Body))
		})
	}
}

func TestAppendEvent(t *testing.T) {
	text := wire.AppendEvent(nil, 42, "join_conversation", []byte(`"room"`))
	assert.Equal(t, `4242["join_conversation","room"]`, string(text))
	p := wire.ParsePacket(text)
	assert.Equal(t, int64(42), p.ID)
	assert.Equal(t, "join_conversation", string(wire.EventName(p.Body)))
}

func TestEventName(t *testing.T) {
	assert.Equal(t, "user_joined", string(wire.EventName([]byte(`["user_joined",{"userId":"u"}]`))))
	for _, bad := range []string{``, `[`, `[""`[:2], `["open`, `{"a":1}`, `[1,2]`} {
		assert.Empty(t, wire.EventName([]byte(bad)), bad)
	}
}

func FuzzParsePacket(f *testing.F) {
	for _, seed := range []string{`42["message",{}]`, `430[{}]`, `0{}`, `4299999999999999999999[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p := wire.ParsePacket(b)
		assert.LessOrEqual(t, len(p.Body), len(b))
		assert.GreaterOrEqual(t, p.ID, int64(wire.NoID))
		if p.Kind == wire.Ack {
			assert.NotEqual(t, int64(wire.NoID), p.ID, "an ack answers something")
		}
		name := wire.EventName(p.Body)
		assert.LessOrEqual(t, len(name), len(p.Body))
	})
}
