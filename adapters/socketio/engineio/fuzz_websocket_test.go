package engineio_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// FuzzWebSocketSession sends a session any frames and then any bytes, cut into pieces of any size. What is heard must
// be what the frames say; nothing may panic, and the session must end with its connection.
func FuzzWebSocketSession(f *testing.F) {
	for _, tc := range received {
		f.Add(framed(websocket.OpText, tc.packet), []byte(nil), uint8(0))
		f.Add(framed(websocket.OpText, "4a", tc.packet, "4b"), []byte(nil), uint8(1))
	}
	f.Add(framed(websocket.OpBinary, "", "\x00", "binary"), []byte{0x81, 0x00}, uint8(7))
	f.Add(framed(websocket.OpPing, "", "data"), appendClientFrame(nil, websocket.OpText, []byte("4\xff")), uint8(3))
	f.Add(framed(websocket.OpClose, ""), []byte{0x88, 0x80, 0, 0, 0, 0}, uint8(2))
	f.Add(framed(websocket.OpPong, "x"), appendClientFrame(nil, websocket.OpContinuation, nil), uint8(2))
	f.Add([]byte(nil), []byte{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, uint8(0))
	f.Fuzz(func(t *testing.T, frames, tail []byte, piece uint8) {
		k := unserved(t, engineio.Config{MaxPayload: fuzzPayload})
		conn := k.pipeWebSocket(t)
		wire, want, over := readFrames(frames)
		wire = append(wire, tail...)
		for size := int(piece) + 1; len(wire) > 0; {
			n := min(size, len(wire))
			if _, err := conn.Write(wire[:n]); err != nil {
				break // the session is over
			}
			wire = wire[n:]
		}
		_ = conn.Close()
		p := k.peer(0)
		reason := p.wait(t)
		if over != "" {
			assert.Equal(t, over, reason)
		}
		heard := p.got()
		require.GreaterOrEqual(t, len(heard), len(want))
		assert.Equal(t, want, heard[:len(want)])
		if len(tail) == 0 || over != "" {
			assert.Len(t, heard, len(want))
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		assert.NoError(t, k.engine.Shutdown(ctx, 0), "the session ends with its connection")
	})
}

// framed encodes messages for readFrames, each as opcode, length and payload.
func framed(op websocket.Opcode, payloads ...string) (encoded []byte) {
	for _, p := range payloads {
		encoded = append(append(encoded, byte(op), byte(len(p))), p...)
	}
	return encoded
}

// readFrames makes client frames of the fuzzer's bytes. It also returns what a session must make of them: the messages
// it hears, and why it ends, "" if it does not end before the connection.
func readFrames(encoded []byte) (wire []byte, heard []string, over engineio.CloseReason) {
	heard = []string{}
	for len(encoded) >= 2 {
		op := websocket.Opcode(encoded[0] & 0x0F)
		payload := encoded[2:min(len(encoded), 2+int(encoded[1]&0x7F))]
		encoded = encoded[2+len(payload):]
		wire = appendClientFrame(wire, op, payload)
		if over != "" {
			continue
		}
		switch op {
		case websocket.OpText:
			if !utf8.Valid(payload) {
				over = engineio.ReasonTransportError
				continue
			}
			if string(payload) == "" {
				over = engineio.ReasonParseError
				continue
			}
			var more []string
			if more, over = readPacket(string(payload)); over == "" {
				heard = append(heard, more...)
			}
		case websocket.OpBinary:
			heard = append(heard, fmt.Sprintf("binary % x", payload))
		case websocket.OpPing, websocket.OpPong:
			if len(payload) > 125 {
				over = engineio.ReasonTransportError
			}
		case websocket.OpClose:
			over = engineio.ReasonTransportClose
			if _, _, err := websocket.ParseClose(payload); err != nil || len(payload) > 125 {
				over = engineio.ReasonTransportError
			}
		default:
			over = engineio.ReasonTransportError
		}
	}
	return wire, heard, over
}

// pipeWebSocket opens a session over a pipe, without net/http. What the server sends is discarded.
func (k *kit) pipeWebSocket(t *testing.T) net.Conn {
	client, server := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, client) }()
	k.engine.ServeHTTP(hijackable{httptest.NewRecorder(), server}, upgradeRequest())
	t.Cleanup(func() { _ = client.Close() })
	return client
}
