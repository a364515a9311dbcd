package application_test

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

func TestChat_Confirm(t *testing.T) {
	t.Run("each recipient is asked once, and the sender told once all have confirmed", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.enter("s3", "eve", talk)
			m := w.ask(s1, talk)
			asked := w.asked(s2)
			require.Len(t, asked, 1)
			require.Equal(t, asked, w.asked("s3"), "one event for all")
			w.Confirm(ctx, s2, asked[0])
			w.Confirm(ctx, s2, asked[0])
			assert.Empty(t, w.reports(s1))
			w.pass(time.Second)
			w.Confirm(ctx, "s3", asked[0])
			assert.Equal(t, []domain.MessageDelivered{{
				Conversation: talk, Message: m.ID, Seq: 1, Expected: 2, Delivered: 2, At: time.Now(),
			}}, w.reports(s1))
			w.holdsNothing()
			w.Confirm(ctx, "s3", asked[0])
			w.pass(time.Hour)
			assert.Empty(t, w.reports(s1))
			assert.Empty(t, w.asked(s2))
		})
	})
	t.Run("a message without confirmation asks nobody and keeps nothing", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
			require.NoError(t, err)
			assert.Empty(t, w.asked(s2))
			w.holdsNothing()
		})
	})
	t.Run("counting is by user: one tab is enough, and every tab is asked", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter("ann's other", ann)
			w.enter(s2, bob, talk)
			w.enter("bob's other", bob, talk)
			w.ask(s1, talk)
			asked := w.asked("bob's other")
			require.Len(t, asked, 1)
			w.Confirm(ctx, "bob's other", asked[0])
			w.expect(s1, 1)
			w.expect("ann's other", 1)
			w.pass(time.Minute)
			assert.Len(t, w.asked(s2), 1, "not again once the user has it")
		})
	})
	t.Run("a confirmation from a user who was not asked, or of an unknown delivery, changes nothing", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.ask(s1, talk)
			asked := w.asked(s2)
			w.enter("late", "zoe", talk)
			for _, id := range []domain.SessionID{s1, "late", "nobody"} {
				w.Confirm(ctx, id, asked[0])
			}
			for _, d := range []domain.DeliveryID{0, 1, asked[0] + 1, 1<<64 - 1} {
				w.Confirm(ctx, s2, d)
			}
			assert.Empty(t, w.reports(s1))
			w.Confirm(ctx, s2, asked[0])
			w.expect(s1, 1)
		})
	})
	t.Run("a sender who is alone is told so at once", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.ask(s1, talk)
			synctest.Wait()
			w.expect(s1, 0)
		})
	})
	t.Run("a repeat asks nobody again", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			send := ports.Send{Conversation: talk, ID: "m1", Content: "hello", Confirm: true}
			for range 3 {
				_, err := w.Send(ctx, s1, send)
				require.NoError(t, err)
			}
			asked := w.asked(s2)
			require.Len(t, asked, 1)
			w.Confirm(ctx, s2, asked[0])
			w.expect(s1, 1)
			_, err := w.Send(ctx, s1, send)
			require.NoError(t, err)
			assert.Empty(t, w.asked(s2))
			w.holdsNothing()
		})
	})
	t.Run("a backend's message counts all members, and its user is told where there is a session", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s2, bob, talk)
			w.enter("coach's", "coach")
			_, err := w.Publish(ctx, ports.Publish{Conversation: talk, User: "coach", Content: "hello", Confirm: true})
			require.NoError(t, err)
			w.Confirm(ctx, s2, w.asked(s2)[0])
			w.expect("coach's", 1)
		})
	})
}

// eager is a broadcaster whose recipients confirm at once, while others have yet to be sent the message.
type eager struct {
	*recorder
	confirm func(domain.SessionID, domain.DeliveryID)
	all     sync.WaitGroup
}

func (e *eager) Broadcast(to []domain.SessionID, except domain.SessionID, event domain.Event) {
	for _, id := range to {
		e.recorder.Broadcast([]domain.SessionID{id}, except, event)
		if sent, ok := event.(domain.MessageSent); ok {
			e.all.Go(func() { e.confirm(id, sent.Delivery) })
			for range 100 {
				runtime.Gosched()
			}
		}
	}
}

// TestChat_Confirm_order checks that the sender gets its message before the report on it.
func TestChat_Confirm_order(t *testing.T) {
	w := newWorld(t, config())
	out := &eager{recorder: w.recorder}
	w.rewire(application.Config{Access: domain.AccessAuthenticated}, wiring{rooms: w.rooms, out: out})
	out.confirm = func(id domain.SessionID, d domain.DeliveryID) { w.Confirm(ctx, id, d) }
	w.enter(s2, bob, talk) // first, so that it is sent the message first
	w.enter(s1, ann, talk)
	w.recorder.take(s1)
	for range 50 {
		w.ask(s1, talk)
		out.all.Wait()
		events := w.recorder.take(s1)
		require.Len(t, events, 2)
		require.IsType(t, domain.MessageSent{}, events[0])
		require.IsType(t, domain.MessageDelivered{}, events[1])
	}
}
