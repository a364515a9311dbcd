package msgpack_test

import (
	"strings"
	"testing"

	"parley/adapters/socketio/sio/msgpack"
	"parley/adapters/socketio/sio/packet"
)

// payloads are the arguments of an event.
func payloads() map[string]any {
	levels := make([][2]float64, 50)
	for i := range levels {
		levels[i] = [2]float64{60_000.25 + float64(i)/2, 1.5 + float64(i)}
	}
	return map[string]any{
		"chat message":  map[string]any{"conversationId": "c-1234", "content": strings.Repeat("hello ", 20), "messageId": "0192f3b4-aaaa-7bbb-8ccc-000000000001"},
		"text in lines": map[string]any{"content": strings.Repeat("a \"line\"\n", 20)},
		"numbers":       map[string]any{"levels": levels},
		"file":          map[string]any{"name": "chart.png", "data": make([]byte, 4096)},
	}
}

func benchPacket(b *testing.B, payload any) packet.Packet {
	b.Helper()
	data, buffers, err := packet.MarshalArgs("message", payload)
	if err != nil {
		b.Fatal(err)
	}
	return packet.Packet{Type: packet.Event, Namespace: "/", ID: 42, HasID: true, Attachments: len(buffers), Data: data, Buffers: buffers}
}

func BenchmarkDecode(b *testing.B) {
	for name, payload := range payloads() {
		frame, err := msgpack.Append(nil, benchPacket(b, payload))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				if _, err := msgpack.Decode(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for name, payload := range payloads() {
		p := benchPacket(b, payload)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(p.Data)))
			dst := make([]byte, 0, 8192)
			for b.Loop() {
				var err error
				if dst, err = msgpack.Append(dst[:0], p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
