package memory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/memory"
	"parley/domain"
)

func TestLog_races(t *testing.T) {
	l := newLog(t, memory.LogConfig{MaxMessages: 50, MaxAge: time.Minute, MaxTotal: 100_000})
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(5, uint64(worker)))
			now := start
			for i := range 2000 {
				now = now.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
				c := domain.ConversationID(fmt.Sprint("c", random.IntN(50)))
				switch random.IntN(20) {
				case 0:
					l.Sweep(now)
				case 3:
					after := uint64(random.IntN(60))
					page, err := l.Page(context.Background(), c, domain.Page{After: &after, Limit: 10, MaxBytes: 1 << 20})
					assert.NoError(t, err)
					for i := range len(page.Messages) {
						assert.Equal(t, page.Messages[0].Seq+uint64(i), page.Messages[i].Seq)
					}
				case 1, 2:
					p := l.head(c)
					_, _, _ = l.After(context.Background(), c, domain.Position{Epoch: p.Epoch, Seq: p.Seq / 2})
				default:
					_, _, _ = l.Append(context.Background(), hello(c, worker*10_000+i), now)
				}
			}
		})
	}
	all.Wait()
	s := l.Stats()
	assert.Equal(t, s.Sum, s.Size)
	assert.LessOrEqual(t, s.Messages, 50*50)
}
