package packet_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/packet"
	"parley/test/cost"
)

// FuzzDecode: what is accepted has a payload of the right shape, as told by
// encoding/json, costs memory in proportion to the text, and is the same after
// encoding and decoding.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`0`, `0{"token":"x"}`, `0/admin?x=1,{}`, `0 {} `, `05`, `2`, `20 ["a"]`, `51-`, `1/ns,`, `2["a",{"b":[1]}]`, `2/ns,12["\u0063onnect"]`, `2["connect"]`, `2[1]`,
		`31[]`, `4"no"`, `51-["a",{"_placeholder":true,"num":0}]`, `510-/ns,3["a"]`, `61-7[]`, `511-`, `2[{"toString":"foo"}]`, `218446744073709551616["a"]`,
		`5999999999-["e"]`, `5`, `51`, `5a-`, `51.23-`, `5-1-`, `2[true,"x"]`, `2[null,"bar"]`, `2[]`, `2{}`, `2["disconnect","123"]`,
		`2["__proto__"]`, `2[""]`, `2["\ud800"]`, `2["a\u0000"]`, `442["some","data"`, `0/admin,"invalid"`, `0[]`, `1/admin,{}`,
		`2/admin,"invalid`, `2/admin,{}`, `999`, `40"abc"`, `42{}`, `430`, `450-`, `4511-`, "2" + strings.Repeat("9", 300),
		"2/" + strings.Repeat("a", 300), `2["a",` + strings.Repeat("[", 300), `2["` + strings.Repeat(`\u0000`, 50) + `"]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		var p packet.Packet
		var err error
		cost.Bound(t, 16*uint64(len(text))+4096, func() { p, err = packet.Decode(text) })
		require.Equal(t, before, text, "the input is not changed")
		if err != nil {
			require.Equal(t, packet.Packet{}, p)
			return
		}
		twice(t, text)
		require.Equal(t, byte('/'), p.Namespace[0])
		require.NotContains(t, p.Namespace, ",")
		binary := p.Type == packet.BinaryEvent || p.Type == packet.BinaryAck
		require.Equal(t, binary, p.Attachments > 0)
		require.LessOrEqual(t, p.Attachments, packet.MaxAttachments)
		if p.Data == nil {
			return
		}
		shape(t, p)
	})
}

// shape checks the payload of an accepted packet without the package's help.
func shape(t *testing.T, p packet.Packet) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(p.Data))
	dec.UseNumber()
	var payload any
	require.NoError(t, dec.Decode(&payload))
	switch p.Type {
	case packet.Connect:
		require.IsType(t, map[string]any{}, payload)
	case packet.ConnectError:
		if _, isString := payload.(string); !isString {
			require.IsType(t, map[string]any{}, payload)
		}
	case packet.Ack, packet.BinaryAck:
		require.IsType(t, []any{}, payload)
	case packet.Event, packet.BinaryEvent:
		array := payload.([]any)
		require.NotEmpty(t, array)
		if name, isString := array[0].(string); isString {
			require.NotContains(t, []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}, name)
		} else {
			require.IsType(t, json.Number(""), array[0])
		}
		if args, err := p.Args(nil); err == nil {
			name, err := packet.EventName(args[0])
			require.NoError(t, err)
			if want, isString := array[0].(string); isString && json.Valid(args[0]) && bytes.ContainsRune(args[0], '\\') {
				require.Equal(t, want, name)
			}
		}
	default:
		t.Fatalf("%s with a payload", p.Type)
	}
}

// FuzzSplitArray: the elements are those that encoding/json finds.
func FuzzSplitArray(f *testing.F) {
	for _, seed := range []string{
		`[]`, ` [ 1 , "a" ] `, `["[,]","\\\"",{"a":[1,"]"]},[[]],null,-1e3]`, `{}`, `[1`, `"[]"`, `[1]]`, `["\u0022,"]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, array []byte) {
		var got []json.RawMessage
		var err error
		cost.Bound(t, 64*uint64(len(array))+4096, func() { got, err = packet.SplitArray(array, nil) })
		// Args does not validate: on any input it must end, and stay inside.
		loose, _ := (&packet.Packet{Data: array}).Args(nil)
		total := 0
		for _, element := range loose {
			total += len(element)
		}
		require.LessOrEqual(t, total, len(array))

		var want []json.RawMessage
		if wantErr := json.Unmarshal(array, &want); wantErr != nil || want == nil {
			require.ErrorIs(t, err, packet.ErrInvalidPayload)
			return
		}
		if len(want) > packet.MaxArgs {
			require.ErrorIs(t, err, packet.ErrTooManyArgs)
			return
		}
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, string(want[i]), string(got[i]))
		}
	})
}

// FuzzAssemble: a text and some binary messages, which are the parts of blob of
// the sizes in cuts. What is accepted, and into what it is bound, is compared
// with a model that decodes everything into interfaces.
func FuzzAssemble(f *testing.F) {
	for _, seed := range []string{
		`51-["a",{"_placeholder":true,"num":0}]`, `52-["a",[{"num":1,"_placeholder":true}],{"x":{"_placeholder":true,"num":0}}]`,
		`51-["a",{"_placeholder":true,"num":"splice"}]`, `61-7[{"_placeholder":true,"num":0.5}]`, `61-`, `2["a",{"_placeholder":true,"num":0}]`,
		`51-["a",{"\u005fplaceholder":true,"num":0,"num":9}]`, `51-["a",{"_placeholder":true,"num":0,"x":{"_placeholder":true}}]`, `1`,
	} {
		f.Add([]byte(seed), []byte("some bytes"), []byte{3, 0, 200})
	}
	f.Fuzz(func(t *testing.T, text, blob, cuts []byte) {
		const limit = 256
		var a packet.Assembler
		var p packet.Packet
		var whole bool
		var err error
		cost.Bound(t, 32*uint64(len(text))+4096, func() {
			a = packet.Assembler{MaxBytes: limit}
			p, whole, err = a.Text(text)
		})
		checkAgainstModel(t, text, limit, err)
		var sent [][]byte
		for _, n := range cuts {
			if err != nil || whole {
				break
			}
			part := blob[:min(int(n), len(blob))]
			blob = blob[len(part):]
			sent = append(sent, bytes.Clone(part))
			p, whole, err = a.Binary(part)
			clear(part) // the assembler must have copied it
		}
		if err != nil {
			require.False(t, a.Pending())
			return
		}
		require.Equal(t, !whole, a.Pending())
		if !whole || p.Attachments == 0 {
			return
		}
		require.Equal(t, sent, p.Buffers)
		require.Len(t, p.Buffers, p.Attachments)
		if p.Data == nil {
			return
		}
		var bound, model any
		if json.Unmarshal(p.Data, &model) != nil {
			return // a number beyond float64
		}
		require.NoError(t, packet.Bind(p.Data, p.Buffers, &bound))
		require.Equal(t, substitute(model, p.Buffers), bound)
	})
}

// checkAgainstModel: a text is refused exactly if Decode refuses it, it is over
// the limit, or some object in it is a placeholder with a bad number.
func checkAgainstModel(t *testing.T, text []byte, limit int, err error) {
	t.Helper()
	p, wantErr := packet.Decode(text)
	if wantErr == nil && p.Attachments > 0 {
		var payload any
		dec := json.NewDecoder(bytes.NewReader(p.Data))
		dec.UseNumber()
		if len(text) > limit {
			wantErr = packet.ErrTooBig
		} else if p.Data != nil && dec.Decode(&payload) == nil && !legal(payload, p.Attachments) {
			wantErr = packet.ErrIllegalAttachments
		}
	}
	require.Equal(t, wantErr, err)
}

func legal(v any, n int) bool {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if !legal(e, n) {
				return false
			}
		}
	case map[string]any:
		if v["_placeholder"] == true {
			num, isNumber := v["num"].(json.Number)
			f, err := num.Float64()
			if !isNumber || err != nil || f != math.Trunc(f) || f < 0 || f >= float64(n) {
				return false
			}
		}
		for _, e := range v {
			if !legal(e, n) {
				return false
			}
		}
	}
	return true
}

// substitute is what socket.io-parser's reconstructPacket does.
func substitute(v any, buffers [][]byte) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = substitute(v[i], buffers)
		}
	case map[string]any:
		if v["_placeholder"] == true {
			return packet.Binary(buffers[int(v["num"].(float64))])
		}
		for k := range v {
			v[k] = substitute(v[k], buffers)
		}
	}
	return v
}
