package packet_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/packet"
)

func TestAssembler(t *testing.T) {
	t.Run("a text packet is whole at once and aliases the input", func(t *testing.T) {
		var a packet.Assembler
		text := []byte(`2["a"]`)
		p, whole, err := a.Text(text)
		require.NoError(t, err)
		assert.True(t, whole)
		assert.Same(t, &text[1], &p.Data[0])
		assert.False(t, a.Pending())
	})

	t.Run("a binary event becomes an event with its attachments, copied", func(t *testing.T) {
		var a packet.Assembler
		text, one, two := []byte(`52-/ns,3["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":1}]`), []byte("one"), []byte{}
		p, whole, err := a.Text(text)
		require.NoError(t, err)
		assert.False(t, whole)
		assert.Equal(t, packet.Packet{}, p)
		assert.True(t, a.Pending())
		_, whole, err = a.Binary(one)
		require.NoError(t, err)
		assert.False(t, whole)
		p, whole, err = a.Binary(two)
		require.NoError(t, err)
		assert.True(t, whole)
		assert.False(t, a.Pending())
		clear(text)
		clear(one)
		assert.Equal(t, packet.Packet{
			Type: packet.Event, Namespace: "/ns", ID: 3, HasID: true, Attachments: 2,
			Data:    []byte(`["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":1}]`),
			Buffers: [][]byte{[]byte("one"), {}},
		}, p)
		assert.Equal(t, `52-/ns,3["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":1}]`, string(packet.Append(nil, p)))
	})

	t.Run("a binary ack becomes an ack", func(t *testing.T) {
		var a packet.Assembler
		_, _, err := a.Text([]byte(`61-7[{"_placeholder":true,"num":0}]`))
		require.NoError(t, err)
		p, whole, err := a.Binary([]byte("x"))
		require.NoError(t, err)
		assert.True(t, whole)
		assert.Equal(t, packet.Ack, p.Type)
		assert.Equal(t, `61-7[{"_placeholder":true,"num":0}]`, string(packet.Append(nil, p)))
	})

	t.Run("a binary ack without payload keeps none", func(t *testing.T) {
		var a packet.Assembler
		_, _, err := a.Text([]byte(`61-7`))
		require.NoError(t, err)
		p, whole, err := a.Binary(nil)
		require.NoError(t, err)
		assert.True(t, whole)
		assert.Equal(t, packet.Packet{Type: packet.Ack, Namespace: "/", ID: 7, HasID: true, Attachments: 1, Buffers: [][]byte{{}}}, p)
	})
}

func TestAssembler_Refuses(t *testing.T) {
	// CVE-2022-2421 and its kin: the number of a placeholder is not to be trusted.
	for _, arg := range []string{
		`{"_placeholder":true,"num":"splice"}`, `{"_placeholder":true,"num":1}`, `{"_placeholder":true,"num":-1}`,
		`{"_placeholder":true,"num":0.5}`, `{"_placeholder":true,"num":1e999}`, `{"_placeholder":true,"num":null}`,
		`{"_placeholder":true,"num":[0]}`, `{"_placeholder":true,"num":{"num":0}}`, `{"_placeholder":true}`,
		`{"num":9,"_placeholder":true}`, `{ "_placeholder" : true , "num" : 7 }`,
		`[[{"deep":{"_placeholder":true,"num":2}}]]`, `{"\u005fplaceholder":true,"num":7}`,
		`{"_placeholder":true,"n\u0075m":7}`, `{"_placeholder":true,"num":0,"num":5}`,
		`{"_placeholder":false,"_placeholder":true,"num":5}`, `{"_placeholder":true,"num":0,"x":{"_placeholder":true,"num":1}}`,
		`{"_placeholder":true,"x":{"num":0}}`, `{"_placeholder":true,"num":0,"num":[5]}`, `{"a":{},"_placeholder":true,"b":[{"num":0}]}`,
	} {
		t.Run("the placeholder "+arg+" is refused", func(t *testing.T) {
			var a packet.Assembler
			_, whole, err := a.Text([]byte(`51-["hello",` + arg + `]`))
			require.ErrorIs(t, err, packet.ErrIllegalAttachments)
			assert.False(t, whole)
			assert.False(t, a.Pending())
		})
	}
	for _, arg := range []string{
		`{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}`,
		`{"num":0,"extra":[1,{"num":9}],"_placeholder":true}`, `{"_placeholder":true,"num":0e0}`, `{"_placeholder":true,"num":-0}`,
		`{"_placeholder":"true","num":9}`, `{"_placeholder":false,"num":9}`, `{"_placeholder":[true],"num":9}`, `{"_placeholder":true,"_placeholder":{},"num":9}`,
		`{"_placeholder":true,"_placeholder":false,"num":9}`, `{"_placeholder":true,"num":9,"num":0}`,
		`{"a":"_placeholder","num":9}`, `["_placeholder",true,"num",9]`, `{"__placeholder":true,"num":9}`, `"none"`,
	} {
		t.Run("an object that is no placeholder is accepted: "+arg, func(t *testing.T) {
			var a packet.Assembler
			_, _, err := a.Text([]byte(`51-["hello",` + arg + `]`))
			require.NoError(t, err)
			_, whole, err := a.Binary([]byte("x"))
			require.NoError(t, err)
			assert.True(t, whole)
		})
	}

	t.Run("a binary message without a header is refused", func(t *testing.T) {
		var a packet.Assembler
		_, whole, err := a.Binary([]byte("x"))
		require.ErrorIs(t, err, packet.ErrUnexpectedBinary)
		assert.False(t, whole)
	})

	t.Run("a binary message after a text packet, or one too many, is refused", func(t *testing.T) {
		var a packet.Assembler
		_, _, err := a.Text([]byte(`2["a"]`))
		require.NoError(t, err)
		_, _, err = a.Binary([]byte("x"))
		require.ErrorIs(t, err, packet.ErrUnexpectedBinary)
		_, _, err = a.Text([]byte(`51-["a"]`))
		require.NoError(t, err)
		_, _, err = a.Binary([]byte("x"))
		require.NoError(t, err)
		_, _, err = a.Binary([]byte("x"))
		require.ErrorIs(t, err, packet.ErrUnexpectedBinary)
	})

	t.Run("a text while attachments are awaited is refused, and drops what was held", func(t *testing.T) {
		for _, text := range []string{`2["a"]`, `51-["a"]`, `1`, ``, `junk`} {
			var a packet.Assembler
			_, _, err := a.Text([]byte(`52-["a"]`))
			require.NoError(t, err)
			_, _, err = a.Binary([]byte("x"))
			require.NoError(t, err)
			_, _, err = a.Text([]byte(text))
			require.ErrorIs(t, err, packet.ErrUnexpectedText)
			assert.False(t, a.Pending())
		}
	})

	t.Run("a text that cannot be decoded is refused", func(t *testing.T) {
		var a packet.Assembler
		_, whole, err := a.Text([]byte(`2{}`))
		require.ErrorIs(t, err, packet.ErrInvalidPayload)
		assert.False(t, whole)
	})

	t.Run("more bytes than allowed, text and attachments together, are refused", func(t *testing.T) {
		text := []byte(`52-["a"]`)
		a := packet.Assembler{MaxBytes: len(text) + 10}
		for range 2 {
			_, _, err := a.Text(text)
			require.NoError(t, err)
			_, _, err = a.Binary(make([]byte, 6))
			require.NoError(t, err)
			_, whole, err := a.Binary(make([]byte, 4))
			require.NoError(t, err)
			require.True(t, whole, "exactly the limit, each time anew")
		}
		_, _, err := a.Text(text)
		require.NoError(t, err)
		_, _, err = a.Binary(make([]byte, 6))
		require.NoError(t, err)
		_, _, err = a.Binary(make([]byte, 5))
		require.ErrorIs(t, err, packet.ErrTooBig)
		assert.False(t, a.Pending())

		a = packet.Assembler{MaxBytes: len(text) - 1}
		_, _, err = a.Text(text)
		require.ErrorIs(t, err, packet.ErrTooBig)
		assert.False(t, a.Pending())
	})

	t.Run("the default limit holds when none is set", func(t *testing.T) {
		var a packet.Assembler
		_, _, err := a.Text([]byte(`52-["a"]`))
		require.NoError(t, err)
		_, _, err = a.Binary(make([]byte, packet.DefaultMaxBytes))
		require.ErrorIs(t, err, packet.ErrTooBig)
	})
}
