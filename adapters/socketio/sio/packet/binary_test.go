package packet_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/packet"
)

type upload struct {
	Name   string                   `json:"name"`
	Data   packet.Binary            `json:"data"`
	Parts  []packet.Binary          `json:"parts"`
	ByName map[string]packet.Binary `json:"byName"`
	Nested *upload                  `json:"nested"`
	Fixed  [1]struct{ B packet.Binary }
	Any    any             `json:"any"`
	Raw    json.RawMessage `json:"raw"`
	hidden
}

type hidden struct{ Embedded packet.Binary }

func TestBind(t *testing.T) {
	const p0, p1 = `{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":1}`
	atts := [][]byte{[]byte("zero"), []byte("one")}

	t.Run("a Binary gets its attachment", func(t *testing.T) {
		var b packet.Binary
		require.NoError(t, packet.Bind(json.RawMessage(` `+p1), atts, &b))
		assert.Equal(t, packet.Binary("one"), b)
		assert.Same(t, &atts[1][0], &b[0], "attachments are not copied")
	})

	t.Run("every Binary and every interface in the value gets its attachment", func(t *testing.T) {
		raw := `{"name":"n","data":` + p0 + `,"parts":[` + p1 + `,null,` + p0 + `],"byName":{"x":` + p1 + `},
			"nested":{"data":{"num":1,"_placeholder":true}},"Fixed":[{"B":` + p0 + `}],
			"any":{"list":[1,` + p1 + `,{"deep":` + p0 + `}],"s":"t"},"raw":` + p0 + `,"Embedded":` + p1 + `}`
		var got upload
		require.NoError(t, packet.Bind(json.RawMessage(raw), atts, &got))
		zero, one := packet.Binary("zero"), packet.Binary("one")
		assert.Equal(t, upload{
			Name: "n", Data: zero, Parts: []packet.Binary{one, nil, zero}, ByName: map[string]packet.Binary{"x": one},
			Nested: &upload{Data: one}, Fixed: [1]struct{ B packet.Binary }{{zero}},
			Any:    map[string]any{"list": []any{1.0, one, map[string]any{"deep": zero}}, "s": "t"},
			Raw:    json.RawMessage(p0),
			hidden: hidden{one},
		}, got)
	})

	t.Run("an interface gets its attachment", func(t *testing.T) {
		var got any
		require.NoError(t, packet.Bind(json.RawMessage(`[`+p0+`]`), atts, &got))
		assert.Equal(t, []any{packet.Binary("zero")}, got)
		require.NoError(t, packet.Bind(json.RawMessage(p1), atts, &got))
		assert.Equal(t, packet.Binary("one"), got)
	})

	t.Run("a value behind a pointer in an interface gets its attachment", func(t *testing.T) {
		into := &upload{}
		var got any = into
		require.NoError(t, packet.Bind(json.RawMessage(`{"data":`+p1+`}`), atts, &got))
		assert.Equal(t, packet.Binary("one"), into.Data)
	})

	t.Run("a Binary may be base64, null or absent", func(t *testing.T) {
		var got upload
		require.NoError(t, packet.Bind(json.RawMessage(`{"data":"AQI=","parts":[null]}`), nil, &got))
		assert.Equal(t, upload{Data: packet.Binary{1, 2}, Parts: []packet.Binary{nil}}, got)
	})

	t.Run("without attachments an interface keeps what looks like a placeholder", func(t *testing.T) {
		var got any
		require.NoError(t, packet.Bind(json.RawMessage(p0), nil, &got))
		assert.Equal(t, map[string]any{"_placeholder": true, "num": 0.0}, got)
	})

	t.Run("a type without Binary is plain JSON", func(t *testing.T) {
		var got struct{ N int }
		require.NoError(t, packet.Bind(json.RawMessage(`{"N":3}`), atts, &got))
		assert.Equal(t, 3, got.N)
	})

	for _, num := range []string{`"splice"`, `-1`, `2`, `10`, `0.5`, `1e999`, `null`, `[0]`, `true`, strings.Repeat("9", 40)} {
		t.Run("num "+num+" is refused", func(t *testing.T) {
			raw := json.RawMessage(`{"_placeholder":true,"num":` + num + `}`)
			var b packet.Binary
			require.Error(t, packet.Bind(raw, atts, &b))
			assert.Empty(t, b)
			var v any
			assert.Error(t, packet.Bind(raw, atts, &v))
		})
	}
	for name, raw := range map[string]string{
		"a placeholder without num": `{"_placeholder":true}`,
		"an object that is none":    `{"num":0}`,
		"a placeholder one deeper":  `{"a":` + p0 + `}`,
		"a string as _placeholder":  `{"_placeholder":"true","num":0}`,
		"a number":                  `5`,
		"a string not base64":       `"*"`,
	} {
		t.Run(name+" is refused for a Binary", func(t *testing.T) {
			var b packet.Binary
			assert.Error(t, packet.Bind(json.RawMessage(raw), atts, &b))
		})
	}

	t.Run("a placeholder in an event without attachments is refused for a Binary", func(t *testing.T) {
		var got upload
		assert.ErrorIs(t, packet.Bind(json.RawMessage(`{"parts":[`+p0+`]}`), nil, &got), packet.ErrIllegalAttachments)
	})

	t.Run("encoding/json alone leaves an empty Binary with memory of its own", func(t *testing.T) {
		var one, two packet.Binary
		require.NoError(t, json.Unmarshal([]byte(p0), &one))
		require.NoError(t, json.Unmarshal([]byte(p0), &two))
		assert.Empty(t, one)
		one, two = append(one, 'x'), append(two, 'y')
		assert.Equal(t, "xy", string(one)+string(two))
	})

	t.Run("a target that cannot be decoded into is an error", func(t *testing.T) {
		assert.Error(t, packet.Bind(json.RawMessage(`1`), atts, nil))
		assert.Error(t, packet.Bind(json.RawMessage(`1`), atts, 5))
		assert.Error(t, packet.Bind(json.RawMessage(`{`), atts, new(any)))
		assert.Error(t, packet.Bind(json.RawMessage(`1`), atts, (*any)(nil)))
	})

	t.Run("10,000 levels are bound or refused", func(t *testing.T) {
		deep := strings.Repeat("[", 9_999) + p1 + strings.Repeat("]", 9_999)
		var v any
		require.NoError(t, packet.Bind(json.RawMessage(deep), atts, &v))
		for range 9_999 {
			v = v.([]any)[0]
		}
		assert.Equal(t, packet.Binary("one"), v)
	})
}

func TestBinary_RoundTrip(t *testing.T) {
	sent := upload{
		Name: "n", Data: packet.Binary{0, 255}, Parts: []packet.Binary{{1}, {}}, ByName: map[string]packet.Binary{"k": {2}},
		Nested: &upload{Data: packet.Binary("deep"), Raw: json.RawMessage(`null`)},
		Any:    []any{packet.Binary("any")}, Raw: json.RawMessage(`{"raw":1}`), hidden: hidden{packet.Binary("e")},
	}
	array, atts, err := packet.MarshalArgs("upload", sent)
	require.NoError(t, err)
	require.Len(t, atts, 7)

	var a packet.Assembler
	id := uint64(9)
	p, whole, err := a.Text(packet.AppendEvent(nil, "/files", &id, len(atts), array))
	for _, att := range atts {
		require.NoError(t, err)
		require.False(t, whole)
		p, whole, err = a.Binary(att)
	}
	require.NoError(t, err)
	require.True(t, whole)
	assert.Equal(t, packet.Packet{Type: packet.Event, Namespace: "/files", ID: 9, HasID: true, Attachments: 7, Data: array, Buffers: atts}, p)

	args, err := p.Args(nil)
	require.NoError(t, err)
	require.Len(t, args, 2)
	var got upload
	require.NoError(t, packet.Bind(args[1], p.Buffers, &got))
	assert.Equal(t, sent, got)
}
