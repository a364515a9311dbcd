package application_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

// admitted marks, in a session's queue, where its join was answered. It is an event only to stand between events.
type admitted struct {
	domain.Event
	joined ports.Joined
}

func TestChat_Send_order(t *testing.T) {
	t.Run("every receiver hears every message in the order of seq, whoever sends at once", func(t *testing.T) {
		const senders, each = 8, 100
		w := newWorld(t, config())
		for i := range senders {
			w.enter(session(i), domain.UserID(fmt.Sprint("u", i)), talk, other)
			w.recorder.take(session(i))
		}
		for i := range senders {
			w.recorder.take(session(i))
		}
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				for n := range each {
					_, err := w.Send(ctx, session(i), ports.Send{Conversation: talk, Content: fmt.Sprint(n)})
					assert.NoError(t, err)
				}
			})
		}
		all.Wait()
		for i := range senders {
			heard := messages(w.recorder.take(session(i)))
			require.Len(t, heard, senders*each)
			next := map[domain.UserID]int{}
			for at, m := range heard {
				require.Equal(t, uint64(at+1), m.Seq)
				require.Equal(t, fmt.Sprint(next[m.User]), m.Content, "the messages of one sender keep their order")
				next[m.User]++
			}
		}
	})
	t.Run("racing repeats are heard once and have one receipt", func(t *testing.T) {
		const tries, rounds = 4, 50
		w := newWorld(t, config())
		w.enter("listener", "eve", talk)
		for i := range tries {
			w.enter(session(i), ann, talk)
		}
		w.recorder.take("listener")
		for round := range rounds {
			receipts := make([]ports.Receipt, tries)
			var all sync.WaitGroup
			for i := range tries {
				all.Go(func() {
					var err error
					receipts[i], err = w.Send(ctx, session(i), ports.Send{
						Conversation: talk, ID: domain.MessageID(fmt.Sprint("m", round)), Content: "hello",
					})
					assert.NoError(t, err)
				})
			}
			all.Wait()
			originals := 0
			for _, r := range receipts {
				if !r.Duplicate {
					originals++
				}
				assert.Equal(t, receipts[0].At, r.At)
				assert.Equal(t, receipts[0].Accepted, r.Accepted)
			}
			require.Equal(t, 1, originals)
		}
		assert.Len(t, messages(w.recorder.take("listener")), rounds)
	})
}

// TestChat_Join_order lets sessions come, go and come back while others talk: what a session is sent must continue its
// Joined without gap or repeat, and end when it is gone.
func TestChat_Join_order(t *testing.T) {
	const talkers, joiners, visits = 3, 4, 40
	w := newWorld(t, config())
	stop := make(chan struct{})
	var talking, visiting sync.WaitGroup
	for i := range talkers {
		w.enter(domain.SessionID(fmt.Sprint("talker", i)), domain.UserID(fmt.Sprint("talker", i)), talk)
		talking.Go(func() { talkUntil(t, w, domain.SessionID(fmt.Sprint("talker", i)), stop) })
	}
	for i := range joiners {
		visiting.Go(func() {
			user := domain.UserID(fmt.Sprint("joiner", i))
			random := rand.New(rand.NewPCG(9, uint64(i)))
			var last *domain.Position
			for n := range visits {
				last = visit(t, w, domain.SessionID(fmt.Sprint(user, "-", n)), user, last, random.IntN(3))
			}
		})
	}
	visiting.Wait()
	close(stop)
	talking.Wait()
}

func talkUntil(t *testing.T, w *world, id domain.SessionID, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		_, err := w.Send(ctx, id, ports.Send{Conversation: talk, Content: "hello"})
		assert.NoError(t, err)
		assert.NoError(t, w.Typing(ctx, id, talk, true))
		w.recorder.take(id)
	}
}

// visit opens a session, joins from the last position, gets some messages, goes in one of three ways and returns the
// position that it has reached.
func visit(
	t *testing.T, w *world, id domain.SessionID, user domain.UserID, last *domain.Position, how int,
) *domain.Position {
	_, err := w.Connect(ctx, id, string(user))
	assert.NoError(t, err)
	err = w.Join(ctx, id, ports.Join{Conversation: talk, After: last}, func(j ports.Joined) {
		w.recorder.mark(id, admitted{joined: j})
	})
	assert.NoError(t, err)
	_, err = w.Send(ctx, id, ports.Send{Conversation: talk, Content: "hello from " + string(user)})
	assert.NoError(t, err)
	switch how {
	case 0:
		assert.NoError(t, w.Leave(ctx, id, talk))
		w.Disconnect(ctx, id, ports.Left)
	case 1:
		w.Disconnect(ctx, id, ports.Left)
	default:
		w.Disconnect(ctx, id, ports.Dropped)
	}

	events := w.recorder.take(id)
	if !assert.NotEmpty(t, events) {
		return nil
	}
	first, isAdmission := events[0].(admitted)
	if !assert.True(t, isAdmission, "%T was told before the join was answered", events[0]) {
		return nil
	}
	seq := first.joined.At.Seq
	if last != nil && first.joined.Recovered {
		for n, m := range first.joined.Messages {
			assert.Equal(t, last.Seq+uint64(n)+1, m.Seq)
		}
		assert.Equal(t, first.joined.At.Seq, last.Seq+uint64(len(first.joined.Messages)))
	}
	for _, m := range messages(events[1:]) {
		seq++
		assert.Equal(t, seq, m.Seq, "a gap or a repeat among the live messages")
	}
	assert.Greater(t, seq, first.joined.At.Seq, "it hears its own message at least")
	assert.Empty(t, w.recorder.take(id), "told after it was gone")
	return &domain.Position{Epoch: first.joined.At.Epoch, Seq: seq}
}

// TestChat_presence_order lets the sessions of one user come and go at once. A listener must be told arrivals and
// departures in turn, or it would end with the wrong one.
func TestChat_presence_order(t *testing.T) {
	const tabs, visits = 3, 300
	ways := map[string]func(w *world, id domain.SessionID){
		"leave":  func(w *world, id domain.SessionID) { assert.NoError(t, w.Leave(ctx, id, talk)) },
		"go":     func(w *world, id domain.SessionID) { w.Disconnect(ctx, id, ports.Left) },
		"drop":   func(w *world, id domain.SessionID) { w.Disconnect(ctx, id, ports.Dropped) },
		"expire": func(w *world, id domain.SessionID) { w.Disconnect(ctx, id, ports.Dropped) },
	}
	for way, depart := range ways {
		t.Run("arrivals and departures alternate when the sessions "+way, func(t *testing.T) {
			cfg := application.Config{}
			if way == "expire" {
				cfg.PresenceGrace = 1
			}
			w := newWorld(t, cfg)
			w.enter("listener", "eve", talk)
			var all sync.WaitGroup
			for i := range tabs {
				all.Go(func() {
					for n := range visits {
						id := domain.SessionID(fmt.Sprint("tab", i, "-", n))
						_, err := w.Connect(ctx, id, "ann")
						assert.NoError(t, err)
						assert.NoError(t, w.Join(ctx, id, ports.Join{Conversation: talk}, func(ports.Joined) {}))
						depart(w, id)
					}
				})
			}
			all.Wait()
			w.Close()
			present := false
			for _, e := range w.recorder.take("listener") {
				_, joined := e.(domain.UserJoined)
				require.NotEqual(t, present, joined, "told twice in a row: %T", e)
				present = joined
			}
		})
	}
}
