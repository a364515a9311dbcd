package memory_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/ports"
)

func TestLog_ids(t *testing.T) {
	t.Run("an id is forgotten just after the window", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		l.say(talk, 1, start)
		_, duplicate := l.append(hello(talk, 1), start.Add(ports.DuplicateWindow))
		assert.True(t, duplicate)
		_, duplicate = l.append(hello(talk, 1), start.Add(ports.DuplicateWindow+1))
		assert.False(t, duplicate)
		_, duplicate = l.append(hello(talk, 1), start.Add(2*ports.DuplicateWindow+1))
		assert.True(t, duplicate, "the window of the second message with this id")
	})
	t.Run("every id is known for its whole window, whenever it comes and whatever is swept", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		random := rand.New(rand.NewPCG(1, 2))
		sent := map[int]time.Time{}
		now := start
		for n := range 2000 {
			now = now.Add(time.Duration(random.IntN(2000)) * time.Millisecond)
			if random.IntN(10) == 0 {
				l.Sweep(now)
			}
			old := random.IntN(n + 1)
			if at, was := sent[old]; was {
				_, duplicate := l.append(hello(talk, old), now)
				require.Equal(t, now.Sub(at) <= ports.DuplicateWindow, duplicate, "id %d, %v later", old, now.Sub(at))
				if !duplicate {
					sent[old] = now
				}
			}
			_, duplicate := l.append(hello(talk, n), now)
			require.False(t, duplicate)
			sent[n] = now
		}
	})
	t.Run("at most the ids of two windows are held, and none of a silent conversation", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		const perSecond = 10
		now := start
		for i := range 600 * perSecond {
			now = now.Add(time.Second / perSecond)
			l.say(talk, i, now)
			if i%100 == 0 {
				require.LessOrEqual(t, l.Stats().IDs, 2*120*perSecond+2)
			}
		}
		l.Sweep(now.Add(ports.DuplicateWindow + 1))
		l.Sweep(now.Add(2*ports.DuplicateWindow + 2))
		assert.Zero(t, l.Stats().IDs)
		assert.Equal(t, 1000, l.Stats().Messages)
	})
	t.Run("an age below the window does not shorten it", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxAge: time.Second})
		first := l.say(talk, 1, start)
		l.Sweep(start.Add(time.Minute))
		assert.Zero(t, l.Stats().Messages)
		again, duplicate := l.append(hello(talk, 1), start.Add(ports.DuplicateWindow))
		assert.True(t, duplicate)
		assert.Equal(t, first.Seq, again.Seq)
	})
}
