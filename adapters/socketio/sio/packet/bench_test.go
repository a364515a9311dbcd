package packet_test

import (
	"encoding/json"
	"strings"
	"testing"

	"parley/adapters/socketio/sio/packet"
)

type chatMessage struct {
	ConversationID string         `json:"conversationId"`
	Content        string         `json:"content"`
	MessageID      string         `json:"messageId"`
	Metadata       map[string]any `json:"metadata,omitempty"`
}

var (
	chat = chatMessage{ConversationID: "c-1234", Content: strings.Repeat("hello ", 20), MessageID: "0192f3b4-aaaa-7bbb-8ccc-000000000001"}
	file = struct {
		Name string        `json:"name"`
		Data packet.Binary `json:"data"`
	}{"chart.png", make([]byte, 4096)}
)

func chatText(b *testing.B) []byte {
	b.Helper()
	args, err := packet.Marshal([]any{"message", chat})
	if err != nil {
		b.Fatal(err)
	}
	id := uint64(42)
	return packet.AppendEvent(nil, "/", &id, 0, args)
}

func BenchmarkDecode(b *testing.B) {
	text := chatText(b)
	b.Run("event", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := packet.Decode(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("event and arguments", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		var room [4]json.RawMessage
		for b.Loop() {
			p, _ := packet.Decode(text)
			args, err := p.Args(room[:0])
			if err != nil || len(args) != 2 {
				b.Fatal(err)
			}
		}
	})
	b.Run("event, name and struct", func(b *testing.B) {
		b.ReportAllocs()
		var room [4]json.RawMessage
		for b.Loop() {
			p, _ := packet.Decode(text)
			args, _ := p.Args(room[:0])
			if name, err := packet.EventName(args[0]); err != nil || name != "message" {
				b.Fatal(name, err)
			}
			var m chatMessage
			if err := packet.Bind(args[1], nil, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkMarshalArgs(b *testing.B) {
	for name, arg := range map[string]any{
		"struct without binary": &chat,
		"map without binary":    map[string]any{"conversationId": "c", "content": chat.Content, "seq": 5},
		"struct with binary":    file,
		"bytes":                 make([]byte, 4096),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := packet.MarshalArgs("event", arg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("struct without binary by Marshal alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := packet.Marshal([]any{"event", &chat}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppendEvent(b *testing.B) {
	args, id, dst := []byte(`["message",{"content":"hello"}]`), uint64(42), make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		dst = packet.AppendEvent(dst[:0], "/chat", &id, 0, args)
	}
}

func BenchmarkAssembler(b *testing.B) {
	array, atts, err := packet.MarshalArgs("upload", file)
	if err != nil {
		b.Fatal(err)
	}
	text := packet.AppendEvent(nil, "/", nil, len(atts), array)
	got := file
	b.ReportAllocs()
	b.SetBytes(int64(len(text) + len(atts[0])))
	for b.Loop() {
		var a packet.Assembler
		_, _, _ = a.Text(text)
		p, whole, err := a.Binary(atts[0])
		if err != nil || !whole {
			b.Fatal(err)
		}
		args, _ := p.Args(nil)
		if err := packet.Bind(args[1], p.Buffers, &got); err != nil {
			b.Fatal(err)
		}
	}
}
