package websocket_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio/websocket"
	"parley/test/cost"
)

// FuzzDecoder checks that any bytes, cut in any way, decode to what they decode to in one piece, and that the decoder
// holds no more memory than was received. cuts are the sizes of the pieces.
func FuzzDecoder(f *testing.F) {
	seeds := [][]byte{
		text("Hello"),
		join(clientFrame(0x01, "Hel"), clientFrame(0x89, "ping"), clientFrame(0x80, "lo"), clientFrame(0x88, "\x03\xe8bye")),
		join(text(""), clientFrame(0x82, strings.Repeat("x", 126)), clientFrame(0xC1, "")),
		{0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4, 5},
		{0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4, 5},
		{0x81, 0xFE, 0, 5, 0, 0, 0, 0},
		[]byte(strings.Repeat(string(clientFrame(0x01, "")), 3)),
		clientFrame(0x81, "\xe2\x82"),
		{0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4},
		{0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
		join(clientFrame(0xA1, "x"), clientFrame(0x91, "x"), clientFrame(0x83, "x")),
		clientFrame(0x88, "\x03\xe8"+strings.Repeat("r", 124)),
		clientFrame(0x88, "\x03"), clientFrame(0x88, "\x03\xee"), clientFrame(0x09, "ping"), clientFrame(0x80, "x"),
		join(clientFrame(0x01, "a"), clientFrame(0x01, "b")),
	}
	for _, seed := range seeds {
		f.Add(seed, []byte{1, 2, 3})
		f.Add(seed, []byte{0})
	}
	f.Fuzz(func(t *testing.T, wire, cuts []byte) {
		const most = 2000
		var whole *websocket.Decoder
		var wantEvents []string
		var wantErr error
		// A frame takes at least six bytes, and costs a line in the transcript.
		cost.Bound(t, 64*uint64(len(wire))+4096, func() {
			whole = &websocket.Decoder{MaxMessage: most}
			wantEvents, wantErr = feed(whole, wire, 0)
		})

		cut, tr, p := &websocket.Decoder{MaxMessage: most}, &transcript{}, bytes.Clone(wire)
		var err error
		for i, fed := 0, 0; len(p) > 0 && err == nil; i++ {
			n := 1
			if len(cuts) > 0 {
				n = min(len(p), int(cuts[i%len(cuts)])+1)
			}
			err = cut.Feed(p[:n:n], tr)
			p, fed = p[n:], fed+n
			require.LessOrEqual(t, cut.Held(), 2*min(fed, most)+128)
		}
		require.Equal(t, wantEvents, tr.events)
		require.Equal(t, wantErr, err)
		require.Equal(t, whole.Buffered(), cut.Buffered())
		delivered := 0
		for _, event := range wantEvents {
			delivered += len(event)
		}
		require.LessOrEqual(t, delivered, len(wire)+7*len(wantEvents))
	})
}

// FuzzRoundTrip checks that the decoder reads what AppendHeader writes, once masked.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("hello"), uint32(0x01020304))
	f.Add(bytes.Repeat([]byte("x"), 126), uint32(0))
	f.Add(bytes.Repeat([]byte("x"), 65_536), uint32(0xFFFFFFFF))
	f.Fuzz(func(t *testing.T, payload []byte, key uint32) {
		frame := websocket.AppendHeader(nil, websocket.OpBinary, len(payload))
		frame[1] |= 0x80
		frame = binary.LittleEndian.AppendUint32(frame, key)
		for i, b := range payload {
			frame = append(frame, b^byte(key>>(8*(i%4))))
		}
		tr := &transcript{}
		require.NoError(t, new(websocket.Decoder).Feed(frame, tr))
		require.Equal(t, []string{"binary " + string(payload)}, tr.events)
	})
}
