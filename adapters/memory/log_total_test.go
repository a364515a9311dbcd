package memory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/domain"
	"parley/ports"
)

func TestLog_total(t *testing.T) {
	t.Run("over the total, conversations that are silent longest are forgotten first", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxTotal: 1 << 20})
		now := start
		for i := range 5000 {
			now = now.Add(time.Second)
			l.say(domain.ConversationID(fmt.Sprint("c", i)), 1, now)
			l.say("busy", i, now)
		}
		assert.Less(t, l.Stats().Size, int64(1<<20+2000))
		assert.Greater(t, l.Stats().Size, int64(1<<19), "and not without need")
		assert.Equal(t, uint64(5000), l.head("busy").Seq)
		assert.Equal(t, uint64(1), l.head("c4999").Seq)
		assert.Zero(t, l.head("c0").Seq)
	})
	t.Run("the last message of a conversation decides which is forgotten, not the first", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxTotal: 3 << 19})
		now := start
		for n := range 20 {
			now = now.Add(time.Minute)
			for i := range 300 {
				if n == 0 || i%2 == 0 {
					l.say(domain.ConversationID(fmt.Sprint("c", i)), n, now)
				}
			}
			for i := range 100 {
				l.say(domain.ConversationID(fmt.Sprint("once", n, "-", i)), n, now)
			}
		}
		for i := range 300 {
			if i%2 == 0 {
				assert.Equal(t, uint64(20), l.head(domain.ConversationID(fmt.Sprint("c", i))).Seq)
			}
		}
		assert.LessOrEqual(t, l.Stats().Size, int64(3<<19+2000))
	})
	t.Run("messages are refused if all conversations have spoken recently, but repeats are known", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxTotal: 100_000})
		accepted := 0
		var refusal error
		for i := range 1000 {
			_, _, err := l.Append(context.Background(), hello(domain.ConversationID(fmt.Sprint("c", i)), 1), start)
			if err != nil {
				refusal = err
				break
			}
			accepted++
		}
		require.Error(t, refusal)
		assert.Equal(t, domain.CodeUnavailable, domain.AsError(refusal).Code)
		assert.Positive(t, domain.AsError(refusal).RetryAfter)
		assert.Equal(t, accepted, l.Stats().Conversations)
		_, duplicate, err := l.Append(context.Background(), hello("c0", 1), start.Add(ports.DuplicateWindow))
		require.NoError(t, err)
		assert.True(t, duplicate)
		_, duplicate, err = l.Append(context.Background(), hello("c0", 1), start.Add(ports.DuplicateWindow+1))
		require.NoError(t, err, "by then the silent have made room")
		assert.False(t, duplicate)
	})
	t.Run("the count of bytes is right after any history", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxMessages: 20, MaxBytes: 8000, MaxAge: 10 * time.Minute, MaxTotal: 200_000})
		random := rand.New(rand.NewPCG(3, 4))
		now := start
		for i := range 20_000 {
			now = now.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
			d := hello(domain.ConversationID(fmt.Sprint("c", random.IntN(300))), random.IntN(500))
			d.Content = strings.Repeat("x", 1+random.IntN(500))
			_, _, _ = l.Append(context.Background(), d, now)
			if i%100 == 0 {
				l.Sweep(now)
				s := l.Stats()
				require.Equal(t, s.Sum, s.Size)
			}
		}
		l.Sweep(now.Add(time.Hour))
		assert.Equal(t, memory.Stats{}, l.Stats())
	})
}
