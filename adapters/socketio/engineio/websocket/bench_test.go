package websocket_test

import (
	"strconv"
	"testing"

	"parley/adapters/socketio/engineio/websocket"
)

type discard struct{ messages int }

func (d *discard) Message(websocket.Opcode, []byte) error { d.messages++; return nil }
func (d *discard) Control(websocket.Opcode, []byte) error { return nil }

// payload returns ASCII text, so that the UTF-8 check is part of what is measured.
func payload(size int) string {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte('a' + i%26)
	}
	return string(b)
}

func BenchmarkDecoder(b *testing.B) {
	for _, size := range []int{16, 128, 1024, 65_536} {
		wire := text(payload(size))
		b.Run("whole/"+strconv.Itoa(size), func(b *testing.B) {
			feedAll(b, wire, len(wire), 1)
		})
		b.Run("in two pieces/"+strconv.Itoa(size), func(b *testing.B) {
			feedAll(b, wire, len(wire)*2/3, 1)
		})
	}
	b.Run("16 frames of 128 in one read", func(b *testing.B) {
		var wire []byte
		for range 16 {
			wire = append(wire, text(payload(128))...)
		}
		feedAll(b, wire, len(wire), 16)
	})
}

func feedAll(b *testing.B, wire []byte, piece, messages int) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(len(wire)))
	d, h, p := &websocket.Decoder{}, &discard{}, make([]byte, len(wire))
	n := 0
	for b.Loop() {
		n++
		copy(p, wire)
		for at := 0; at < len(p); at += piece {
			if err := d.Feed(p[at:min(at+piece, len(p))], h); err != nil {
				b.Fatal(err)
			}
		}
	}
	if h.messages != n*messages {
		b.Fatalf("%d messages of %d", h.messages, n*messages)
	}
}

func BenchmarkAppendHeader(b *testing.B) {
	b.ReportAllocs()
	buf := make([]byte, 0, websocket.MaxHeaderSize)
	for b.Loop() {
		buf = websocket.AppendHeader(buf[:0], websocket.OpText, 300)
	}
}
