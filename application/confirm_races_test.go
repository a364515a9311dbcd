package application_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

// TestChat_confirm_races lets recipients confirm in every way, leave, drop and come back while messages that are to be
// confirmed are sent and sent again. Each must be reported once, with counts that are possible.
func TestChat_confirm_races(t *testing.T) {
	const senders, receivers, each = 3, 6, 60
	inWorld(t, func(t *testing.T, w *world) {
		rooms := []domain.ConversationID{talk, other}
		for i := range senders {
			w.enter(domain.SessionID(fmt.Sprint("sender", i)), domain.UserID(fmt.Sprint("sender", i)), rooms...)
		}
		for i := range receivers {
			w.enter(session(i), domain.UserID(fmt.Sprint("u", i)), rooms...)
		}
		stop := make(chan struct{})
		var sending, receiving sync.WaitGroup
		for i := range senders {
			sending.Go(func() {
				random := rand.New(rand.NewPCG(11, uint64(i)))
				for n := range each {
					time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
					_, err := w.Send(ctx, domain.SessionID(fmt.Sprint("sender", i)), ports.Send{
						Conversation: rooms[n%2], ID: domain.MessageID(fmt.Sprint("m", i, "-", n)), Content: "hello", Confirm: true,
					})
					assert.NoError(t, err)
				}
			})
		}
		for i := range receivers {
			receiving.Go(func() { receive(t, w, session(i), rooms, rand.New(rand.NewPCG(12, uint64(i))), stop) })
		}
		sending.Wait()
		w.pass(window + 10*time.Second)
		close(stop)
		receiving.Wait()
		for i := range senders {
			reported := map[domain.MessageID]bool{}
			for _, r := range w.reports(domain.SessionID(fmt.Sprint("sender", i))) {
				require.False(t, reported[r.Message], "reported twice")
				reported[r.Message] = true
				require.Equal(t, r.Expected, r.Delivered+len(r.Pending))
				require.GreaterOrEqual(t, r.Expected, senders-1)
				require.Less(t, r.Expected, senders+receivers)
			}
			require.Len(t, reported, each)
		}
		assert.Zero(t, w.UnderWay().Deliveries)
		w.pass(time.Minute)
	})
}

// receive confirms what the session is asked for, or not, and comes and goes.
func receive(
	t *testing.T, w *world, id domain.SessionID, rooms []domain.ConversationID, random *rand.Rand, stop <-chan struct{},
) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(random.IntN(500)) * time.Millisecond):
		}
		c := rooms[random.IntN(2)]
		switch random.IntN(8) {
		case 0:
			from := w.Disconnect(ctx, id, ports.Dropped)
			time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
			assert.True(t, w.recovers(id, from))
		case 1:
			if w.Leave(ctx, id, c) == nil {
				assert.NoError(t, w.Join(ctx, id, ports.Join{Conversation: c}, func(ports.Joined) {}))
			}
		case 2:
			_ = w.Acknowledge(ctx, id, c, uint64(random.IntN(200)))
		default:
			for _, d := range w.asked(id) {
				if random.IntN(3) > 0 {
					w.Confirm(ctx, id, d)
				}
			}
		}
	}
}

// TestChat_confirm_burst lets every member of a room confirm every message at once, in both ways.
func TestChat_confirm_burst(t *testing.T) {
	const members, sent = 50, 100
	inWorld(t, func(t *testing.T, w *world) {
		for i := range members {
			w.enter(session(i), domain.UserID(fmt.Sprint("u", i)), talk)
		}
		var all sync.WaitGroup
		for range sent {
			w.ask(session(0), talk)
		}
		for i := range members {
			asked := w.asked(session(i))
			all.Go(func() {
				for n, d := range asked {
					w.Confirm(ctx, session(i), d)
					if n%10 == i%10 {
						assert.NoError(t, w.Acknowledge(ctx, session(i), talk, uint64(n+1)))
					}
				}
			})
		}
		all.Wait()
		reports := w.reports(session(0))
		require.Len(t, reports, sent)
		for _, r := range reports {
			require.Equal(t, members-1, r.Delivered)
		}
		w.holdsNothing()
	})
}
