package application_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

// TestChat_races lets everything happen at once, Disconnect also in the middle of its session's calls. At the end
// nothing may be left of sessions that are gone.
func TestChat_races(t *testing.T) {
	const workers, rounds = 6, 60
	w := newWorld(t, application.Config{MaxContent: maxContent})
	rooms := []domain.ConversationID{"c1", "c2", "c3"}
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(i)))
			for round := range rounds {
				id := domain.SessionID(fmt.Sprint("s", i, "-", round))
				_, err := w.Connect(ctx, id, fmt.Sprint("u", i%3))
				assert.NoError(t, err)
				var pair sync.WaitGroup
				pair.Go(func() {
					for range 10 {
						c := rooms[random.IntN(len(rooms))]
						switch random.IntN(5) {
						case 0, 1:
							_ = w.Join(ctx, id, ports.Join{Conversation: c}, func(ports.Joined) {})
						case 2:
							_, _ = w.Send(ctx, id, ports.Send{Conversation: c, Content: "hello"})
						case 3:
							_ = w.Typing(ctx, id, c, true)
						default:
							_ = w.Leave(ctx, id, c)
						}
					}
				})
				pair.Go(func() { w.Disconnect(ctx, id, ports.Departure(round%2)) })
				pair.Wait()
			}
		})
	}
	all.Wait()
	for _, c := range rooms {
		assert.Empty(t, w.members(c))
		sessions, err := w.rooms.Sessions(ctx, c.Room())
		assert.NoError(t, err)
		assert.Empty(t, sessions)
	}
	assert.Zero(t, w.SessionCount())
}

// comeAndGo lets sessions enter and end in every way at once.
func comeAndGo(t *testing.T, w *world, workers, rounds int) {
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			for round := range rounds {
				id := domain.SessionID(fmt.Sprint("s", i, "-", round))
				_, err := w.Connect(ctx, id, fmt.Sprint("u", i%3))
				assert.NoError(t, err)
				for _, c := range []domain.ConversationID{talk, other} {
					assert.NoError(t, w.Join(ctx, id, ports.Join{Conversation: c}, func(ports.Joined) {}))
				}
				if round%3 == 0 {
					assert.NoError(t, w.Leave(ctx, id, talk))
				}
				w.Disconnect(ctx, id, ports.Departure(round%2))
			}
		})
	}
	all.Wait()
}
