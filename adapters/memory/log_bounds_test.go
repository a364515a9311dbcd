package memory_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/domain"
	"parley/ports"
)

func TestLog_bounds(t *testing.T) {
	t.Run("by default the newest 1000 messages are held", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		for i := range 5000 {
			l.say(talk, i, start)
		}
		assert.Equal(t, 1000, l.Stats().Messages)
		assert.Less(t, l.Stats().Capacity, 4000)
		assert.Equal(t, ports.GapTrimmed, l.gap(talk, 3999))
		assert.Empty(t, l.gap(talk, 4000))
	})
	t.Run("the oldest messages go when the bytes are too many, but the newest stays", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxBytes: 10_000})
		large := strings.Repeat("x", 4000)
		for i := range 10 {
			l.append(domain.Draft{Conversation: talk, User: "ann", ID: number(i), Content: large}, start)
			assert.Equal(t, min(i+1, 2), l.Stats().Messages)
		}
		l.append(domain.Draft{Conversation: talk, User: "ann", ID: "huge", Content: strings.Repeat("x", 50_000)}, start)
		assert.Equal(t, 1, l.Stats().Messages)
		assert.Empty(t, l.gap(talk, 10))
	})
	t.Run("metadata counts as bytes of a message", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxBytes: 10_000})
		for i := range 10 {
			l.append(domain.Draft{Conversation: talk, User: "ann", ID: number(i), Content: "x", Metadata: make([]byte, 4000)}, start)
		}
		assert.Equal(t, 2, l.Stats().Messages)
	})
	t.Run("a message goes at the instant when it is too old", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxAge: time.Hour})
		l.say(talk, 1, start)
		l.say(talk, 2, start.Add(time.Minute))
		l.say(talk, 3, start.Add(time.Hour))
		assert.Empty(t, l.gap(talk, 0), "an hour old")
		l.say(talk, 4, start.Add(time.Hour+1))
		assert.Equal(t, ports.GapTrimmed, l.gap(talk, 0), "over an hour old")
		assert.Empty(t, l.gap(talk, 1))
		l.Sweep(start.Add(time.Hour + time.Minute + 1))
		assert.Equal(t, ports.GapTrimmed, l.gap(talk, 1))
		assert.Empty(t, l.gap(talk, 2))
	})
	t.Run("the memory that a burst has taken is given back", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxMessages: 100_000, MaxAge: time.Hour})
		for i := range 50_000 {
			l.say(talk, i, start)
		}
		l.say(talk, 50_000, start.Add(30*time.Minute))
		l.Sweep(start.Add(time.Hour + 1))
		assert.Equal(t, 1, l.Stats().Messages)
		assert.Less(t, l.Stats().Capacity, 64)
	})
	t.Run("the memory of a dropped message is free at once", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxMessages: 100})
		large := make([]byte, 1<<16)
		held := weak.Make(&large[0])
		l.append(domain.Draft{Conversation: talk, User: "ann", ID: "m0", Content: "x", Metadata: large}, start)
		large = nil
		for i := range 100 {
			runtime.GC()
			require.NotNil(t, held.Value(), "message %d", i)
			l.say(talk, i+1, start)
		}
		runtime.GC()
		assert.Nil(t, held.Value())
		runtime.KeepAlive(l.Log)
	})
	t.Run("all messages of a conversation share one copy of its id", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		for i := range 2 {
			l.say(domain.ConversationID(strings.Clone(string(talk))), i, start)
		}
		ms, _, err := l.After(context.Background(), talk, domain.Position{Epoch: l.head(talk).Epoch})
		require.NoError(t, err)
		require.Len(t, ms, 2)
		assert.Same(t, unsafe.StringData(string(ms[0].Conversation)), unsafe.StringData(string(ms[1].Conversation)))
	})
	t.Run("times do not go back with the clock", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		first := l.say(talk, 1, start)
		second := l.say(talk, 2, start.Add(-time.Hour))
		assert.False(t, second.At.Before(first.At))
	})
}

func TestLog_forgets_without_sweeps(t *testing.T) {
	l := newLog(t, memory.LogConfig{MaxAge: time.Hour})
	now := start
	for i := range 20_000 {
		now = now.Add(time.Second)
		l.say(domain.ConversationID(fmt.Sprint("c", i)), 1, now)
	}
	assert.Less(t, l.Stats().Conversations, 3600+500)
}
