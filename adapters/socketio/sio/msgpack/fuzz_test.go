package msgpack_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/msgpack"
	"parley/adapters/socketio/sio/packet"
	"parley/test/cost"
)

// FuzzDecode: what is accepted is a packet that the text parser accepts too, costs
// memory in proportion to the frame, and is the same after encoding and decoding.
func FuzzDecode(f *testing.F) {
	g := readGolden(f)
	for _, s := range append(g.Packets, g.Frames...) {
		f.Add([]byte(s.Frame))
	}
	for _, frame := range []string{
		"", "\xdf\xff\xff\xff\xff", "\xdd\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff", "\xdb\xff\xff\xff\xff", "\x84\xa4type\x02\xa4data\xdd\xff\xff\xff\xff",
		strings.Repeat("\x91", 300), strings.Repeat("\x81\xa0", 300), "\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xc1", "\x83\xa4type\x05\xa3nsp\xa1/\xa4data\x91\xa1a",
	} {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		before := bytes.Clone(frame)
		var p packet.Packet
		var err error
		// Growing costs what is copied. The rest is for errors, and for a namespace.
		cost.Bound(t, 64*uint64(len(frame))+8192, func() { p, err = msgpack.Decode(frame) })
		require.Equal(t, before, frame, "the input is not changed")
		if err != nil {
			require.Equal(t, packet.Packet{}, p)
			return
		}
		require.LessOrEqual(t, len(p.Data), 6*len(frame)+32*packet.MaxAttachments)
		require.Len(t, p.Buffers, p.Attachments)
		clear(frame) // the packet is its own

		text, err := packet.Decode(packet.Append(nil, p))
		require.NoError(t, err)
		require.Equal(t, p.Data, text.Data)
		require.Equal(t, [3]any{p.Namespace, p.HasID, p.ID}, [3]any{text.Namespace, text.HasID, text.ID})

		again, err := msgpack.Append(nil, p)
		require.NoError(t, err)
		q, err := msgpack.Decode(again)
		require.NoError(t, err)
		require.Equal(t, p, q)
	})
}

// FuzzAppend: a packet as the text parser reads it, of a text and of parts of blob
// of the sizes in cuts, is the same in MessagePack and back.
func FuzzAppend(f *testing.F) {
	for _, s := range readGolden(f).Packets {
		f.Add([]byte(s.Text), []byte("some bytes"), []byte{3, 0, 200})
	}
	for _, text := range []string{
		`52-["a",[{"num":1,"_placeholder":true}],{"x":{"_placeholder":true,"num":0e0}}]`, `51-["a",{"_placeholder":true,"num":0,"x":1}]`,
		`2[ "a" , {"b":[1.0,-0,1e400,"\ud800\u0041"]} ]`, `2`, `2[1E1000]`, `62-["\u005fplaceholder",{"\u005fplaceholder":true,"num":1},[[[]]]]`,
	} {
		f.Add([]byte(text), []byte("some bytes"), []byte{3, 0, 200})
	}
	f.Fuzz(func(t *testing.T, text, blob, cuts []byte) {
		var a packet.Assembler
		p, whole, err := a.Text(text)
		for _, n := range cuts {
			if err != nil || whole {
				break
			}
			part := blob[:min(int(n), len(blob))]
			blob = blob[len(part):]
			p, whole, err = a.Binary(part)
		}
		if err != nil || !whole || !utf8.Valid(text) {
			return
		}
		data := bytes.Clone(p.Data)
		frame, err := msgpack.Append([]byte("x"), p)
		require.Equal(t, data, p.Data, "the packet is not changed")
		if err != nil {
			require.Equal(t, []byte("x"), frame)
			// All that the text parser allows beyond this one: clients' packets that mean nothing without their
			// payload, and are ignored.
			payload := p.Type == packet.ConnectError || p.Type == packet.Event
			require.True(t, errors.Is(err, packet.ErrIllegalAttachments) && len(p.Buffers) > 0 ||
				errors.Is(err, packet.ErrInvalidPayload) && payload && p.Data == nil, "%v", err)
			return
		}
		got, err := msgpack.Decode(frame[1:])
		if errors.Is(err, msgpack.ErrTooDeep) {
			return
		}
		if _, finite := bound(p); err != nil && !finite {
			return // as the name of an event, say, a number beyond float64 is none
		}
		require.NoError(t, err)
		require.Equal(t, p.Type, got.Type)
		require.Equal(t, p.Namespace, got.Namespace)
		require.Equal(t, [2]any{p.HasID, p.ID}, [2]any{got.HasID, got.ID})
		want, ok := bound(p)
		if ok {
			have, ok := bound(got)
			require.True(t, ok)
			require.Equal(t, want, have)
		}
	})
}

// bound is the data of p with its attachments, or nil if absent; false if a number
// is beyond float64.
func bound(p packet.Packet) (any, bool) {
	var v any
	if p.Data == nil && p.Type == packet.Ack {
		p.Data = []byte("[]") // the only way to write it
	}
	if p.Data == nil {
		return nil, true
	}
	if json.Unmarshal(p.Data, &v) != nil {
		return nil, false
	}
	return v, packet.Bind(p.Data, p.Buffers, &v) == nil
}
