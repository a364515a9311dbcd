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

// TestLog_lives is about epochs: the positions of one life must never be taken for those of another.
func TestLog_lives(t *testing.T) {
	const age = time.Hour
	later := start.Add(age + 1)
	ways := map[string]func(l log){
		"by its next message": func(log) {},
		"by a sweep":          func(l log) { l.Sweep(later) },
	}
	for way, forget := range ways {
		t.Run("a conversation forgotten "+way+" has a new epoch and starts at 1", func(t *testing.T) {
			l := newLog(t, memory.LogConfig{MaxAge: age})
			empty := l.head(talk)
			for i := range 3 {
				l.say(talk, i, start)
			}
			old := l.head(talk)
			require.Equal(t, domain.Position{Epoch: empty.Epoch, Seq: 3}, old)
			forget(l)
			m := l.say(talk, 3, later)
			assert.Equal(t, uint64(1), m.Seq)
			assert.NotEqual(t, old.Epoch, m.Epoch)
			for seq := range uint64(5) {
				_, gap, err := l.After(context.Background(), talk, domain.Position{Epoch: old.Epoch, Seq: seq})
				require.NoError(t, err)
				assert.Equal(t, ports.GapEpoch, gap, "old position %d", seq)
			}
		})
	}
	t.Run("a forgotten conversation has its new epoch before the first message of the new life", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxAge: age})
		old := l.say(talk, 1, start)
		l.Sweep(later)
		empty := l.head(talk)
		assert.Zero(t, empty.Seq)
		assert.NotEqual(t, old.Epoch, empty.Epoch)
		assert.Equal(t, empty.Epoch, l.say(talk, 2, later).Epoch)
	})
	t.Run("no epoch comes back, over many lives of many conversations", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxAge: age})
		now := start
		had := map[domain.ConversationID]map[domain.Epoch]bool{}
		for round := range 20 {
			for i := range 300 {
				c := domain.ConversationID(fmt.Sprint("c", i))
				if had[c] == nil {
					had[c] = map[domain.Epoch]bool{}
				}
				m := l.say(c, round, now)
				require.Equal(t, uint64(1), m.Seq)
				require.False(t, had[c][m.Epoch], "epoch %s again", m.Epoch)
				had[c][m.Epoch] = true
			}
			now = now.Add(age + 1)
			l.Sweep(now)
		}
	})
	t.Run("forgetting one conversation leaves the epoch of the others", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxAge: age})
		for i := range 2000 {
			l.say(domain.ConversationID(fmt.Sprint("c", i)), 1, start)
		}
		kept := l.say(talk, 1, start.Add(time.Minute))
		l.Sweep(later)
		assert.Equal(t, 1, l.Stats().Conversations)
		assert.Equal(t, kept.Epoch, l.say(talk, 2, later).Epoch)
		assert.Equal(t, uint64(2), l.head(talk).Seq)
	})
	t.Run("two logs have no epoch in common", func(t *testing.T) {
		a, b := newLog(t, memory.LogConfig{}), newLog(t, memory.LogConfig{})
		assert.NotEqual(t, a.head(talk).Epoch, b.head(talk).Epoch)
	})
	t.Run("asking for unknown conversations makes the log hold nothing", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		for i := range 100_000 {
			c := domain.ConversationID(fmt.Sprint("c", i))
			p := l.head(c)
			_, _, _ = l.After(context.Background(), c, p)
		}
		assert.Equal(t, memory.Stats{}, l.Stats())
	})
}
