package application_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"parley/adapters/memory"
	"parley/application"
	"parley/domain"
	"parley/ports"
)

// BenchmarkChat_Send is what a message costs above the transport, in a room of 1000.
func BenchmarkChat_Send(b *testing.B) {
	c := crowded(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		_, err := c.Send(context.Background(), "s0", ports.Send{Conversation: talk, Content: "a message of a usual length"})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChat_Typing(b *testing.B) {
	c := crowded(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Typing(context.Background(), "s0", talk, true); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChat_come_and_go is the life of a session beside 1000 others that are told of it.
func BenchmarkChat_come_and_go(b *testing.B) {
	c := crowded(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Connect(context.Background(), "one-more", "one-more"); err != nil {
			b.Fatal(err)
		}
		if err := c.Join(context.Background(), "one-more", ports.Join{Conversation: talk}, func(ports.Joined) {}); err != nil {
			b.Fatal(err)
		}
		c.Disconnect(context.Background(), "one-more", ports.Left)
	}
}

// crowded returns a chat with that many sessions, all in one conversation, whose broadcaster does nothing.
func crowded(tb testing.TB, sessions int) *application.Chat {
	tb.Helper()
	c := application.NewChat(application.Config{Access: domain.AccessAuthenticated},
		names{}, memory.NewRooms(), memory.NewLog(memory.LogConfig{}), deaf{}, nil, slog.New(slog.DiscardHandler))
	tb.Cleanup(c.Close)
	for i := range sessions {
		if _, err := c.Connect(context.Background(), session(i), fmt.Sprint("user-", i)); err != nil {
			tb.Fatal(err)
		}
		if err := c.Join(context.Background(), session(i), ports.Join{Conversation: talk}, func(ports.Joined) {}); err != nil {
			tb.Fatal(err)
		}
	}
	return c
}

// deaf is a broadcaster that does nothing.
type deaf struct{}

func (deaf) Broadcast([]domain.SessionID, domain.SessionID, domain.Event) {}
