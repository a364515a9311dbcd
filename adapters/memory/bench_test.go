package memory_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"parley/adapters/memory"
	"parley/domain"
)

// BenchmarkLog_Append appends at 1000 messages a second of the log's time, so that trimming and the
// turning over of ids are part of the figure.
func BenchmarkLog_Append(b *testing.B) {
	for _, conversations := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("conversations=%d", conversations), func(b *testing.B) {
			log := memory.NewLog(memory.LogConfig{})
			names := make([]domain.ConversationID, conversations)
			for i := range names {
				names[i] = domain.ConversationID("c" + strconv.Itoa(i))
			}
			draft := domain.Draft{User: "user-1", Content: "a message of a usual length, as people write them in a chat"}
			now := time.Now()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				draft.Conversation = names[n%conversations]
				draft.ID = domain.MessageID(strconv.Itoa(n))
				now = now.Add(time.Millisecond)
				if _, duplicate, err := log.Append(context.Background(), draft, now); duplicate || err != nil {
					b.Fatal(duplicate, err)
				}
				n++
			}
		})
	}
}

func BenchmarkRooms_Join_Leave(b *testing.B) {
	for _, size := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("room=%d", size), func(b *testing.B) {
			rooms := filledRoom(b, size)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = rooms.Join(context.Background(), "room", "one-more", "one-more")
				_, _ = rooms.Leave(context.Background(), "room", "one-more", "one-more")
			}
		})
	}
}

// BenchmarkRooms_Join_after_Sessions is the dear case: a join between two messages copies the snapshot.
func BenchmarkRooms_Join_after_Sessions(b *testing.B) {
	for _, size := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("room=%d", size), func(b *testing.B) {
			rooms := filledRoom(b, size)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = rooms.Sessions(context.Background(), "room")
				_, _ = rooms.Join(context.Background(), "room", "one-more", "one-more")
				_, _ = rooms.Leave(context.Background(), "room", "one-more", "one-more")
			}
		})
	}
}

func BenchmarkRooms_Sessions(b *testing.B) {
	rooms := filledRoom(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		sessions, _ := rooms.Sessions(context.Background(), "room")
		if len(sessions) != 10_000 {
			b.Fatal(len(sessions))
		}
	}
}

func BenchmarkRooms_Members(b *testing.B) {
	rooms := filledRoom(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		users, _ := rooms.Members(context.Background(), "room")
		if len(users) != 10_000 {
			b.Fatal(len(users))
		}
	}
}

func filledRoom(b *testing.B, size int) *memory.Rooms {
	b.Helper()
	rooms := memory.NewRooms()
	for i := range size {
		name := strconv.Itoa(i)
		if _, err := rooms.Join(context.Background(), "room", domain.SessionID(name), domain.UserID("user-"+name)); err != nil {
			b.Fatal(err)
		}
	}
	return rooms
}
