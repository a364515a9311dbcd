package memory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/domain"
	"parley/ports"
)

func TestLog_in_use(t *testing.T) {
	const age = time.Hour
	inUse := map[domain.ConversationID]bool{talk: true}
	open := func(t *testing.T, total int64) log {
		return newLog(t, memory.LogConfig{
			MaxAge: age, MaxTotal: total, InUse: func(c domain.ConversationID) bool { return inUse[c] },
		})
	}
	t.Run("a conversation in use keeps its epoch and seq through any silence, and its messages go", func(t *testing.T) {
		for name, pass := range map[string]func(l log, now time.Time){
			"it is swept":       func(l log, now time.Time) { l.Sweep(now) },
			"other talk passes": func(l log, now time.Time) { l.say("other", int(now.Unix()), now) },
			"nothing passes":    func(log, time.Time) {},
		} {
			t.Run("when "+name, func(t *testing.T) {
				l := open(t, 0)
				now := start
				first := l.say(talk, 0, now)
				for day := range 5 {
					for range 30 {
						now = now.Add(age / 10)
						pass(l, now)
					}
					m := l.say(talk, day+1, now)
					require.Equal(t, first.Epoch, m.Epoch)
					require.Equal(t, uint64(day+2), m.Seq)
					require.Equal(t, ports.GapTrimmed, l.gap(talk, uint64(day)))
				}
			})
		}
	})
	t.Run("a conversation that is no longer in use is forgotten", func(t *testing.T) {
		l := open(t, 0)
		l.say(talk, 0, start)
		l.say("other", 0, start)
		l.Sweep(start.Add(age + 1))
		assert.Equal(t, 1, l.Stats().Conversations)
		assert.Zero(t, l.Stats().Messages)
		inUse[talk] = false
		defer func() { inUse[talk] = true }()
		l.Sweep(start.Add(2*age + 2))
		assert.Equal(t, memory.Stats{}, l.Stats())
	})
	t.Run("a conversation in use loses only its messages over the total", func(t *testing.T) {
		l := open(t, 1<<20)
		for i := range 900 {
			l.say(talk, i, start)
		}
		epoch := l.head(talk).Epoch
		now := start.Add(ports.DuplicateWindow)
		for i := range 3000 {
			now = now.Add(time.Second)
			l.say(domain.ConversationID(fmt.Sprint("c", i)), 1, now)
		}
		assert.Equal(t, domain.Position{Epoch: epoch, Seq: 900}, l.head(talk))
		assert.Equal(t, ports.GapTrimmed, l.gap(talk, 899))
		assert.LessOrEqual(t, l.Stats().Size, int64(1<<20+2000))
	})
	t.Run("a full log of conversations in use refuses messages, and does not search for ever", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxTotal: 50_000, InUse: func(domain.ConversationID) bool { return true }})
		now := start
		var refusal error
		for i := 0; refusal == nil && i < 1000; i++ {
			now = now.Add(time.Hour)
			_, _, refusal = l.Append(context.Background(), hello(domain.ConversationID(fmt.Sprint("c", i)), 1), now)
		}
		require.Error(t, refusal)
		assert.Zero(t, l.Stats().Messages)
		assert.Equal(t, l.Stats().Sum, l.Stats().Size)
	})
	t.Run("rooms say what is in use", func(t *testing.T) {
		rooms := memory.NewRooms()
		assert.False(t, rooms.InUse(talk))
		_, err := rooms.Join(context.Background(), talk.Room(), "s1", "ann")
		require.NoError(t, err)
		assert.True(t, rooms.InUse(talk))
		_, err = rooms.Drop(context.Background(), talk.Room(), "s1", "ann", start)
		require.NoError(t, err)
		assert.True(t, rooms.InUse(talk), "who may come back has not gone")
		_, err = rooms.Expire(context.Background(), talk.Room(), "ann", start)
		require.NoError(t, err)
		assert.False(t, rooms.InUse(talk))
	})
}
