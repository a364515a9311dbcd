package application_test

import (
	"fmt"
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

// recoverable is a configuration that lets sessions recover.
func recoverable() application.Config {
	cfg := config()
	cfg.ConfirmWindow, cfg.RecoveryWindow = window, window
	return cfg
}

// whileAway runs the test after ann's s1 has dropped from talk, where bob's s2 still is, and from other.
func whileAway(t *testing.T, test func(t *testing.T, w *world, from domain.Absence)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, recoverable())
		w.enter(s1, ann, talk, other)
		w.enter(s2, bob, talk)
		from := w.Disconnect(ctx, s1, ports.Dropped)
		w.recorder.take(s1)
		test(t, w, from)
	})
}

// back recovers s1 and returns the events that it is sent.
func (w *world) back(from domain.Absence) []domain.Event {
	w.t.Helper()
	require.True(w.t, w.recovers(s1, from))
	return w.recorder.take(s1)
}

func (w *world) announce(c domain.ConversationID, data string) {
	w.t.Helper()
	require.NoError(w.t, w.Announce(ctx, c, "tick", []byte(data)))
}

func TestChat_Recover_events(t *testing.T) {
	t.Run("events that are in no log are replayed between the messages, once", func(t *testing.T) {
		whileAway(t, func(t *testing.T, w *world, from domain.Absence) {
			w.announce(talk, "1")
			w.announce(other, "2")
			first, err := w.Send(ctx, s2, ports.Send{Conversation: talk, Content: "hello"})
			require.NoError(t, err)
			require.NoError(t, w.Update(ctx, talk, []byte(`{"a":1}`)))
			_, err = w.OpenStream(ctx, ports.Publish{Conversation: talk, User: "coach", ID: "answer", Content: "so"})
			require.NoError(t, err)
			require.NoError(t, w.AbortStream(ctx, talk, "answer"))
			_, err = w.OpenStream(ctx, ports.Publish{Conversation: talk, User: "coach", ID: "answer", Content: "again"})
			require.NoError(t, err)

			now := time.Now()
			told := w.back(from)
			require.Len(t, told, 6)
			assert.Equal(t, domain.Announced{Conversation: other, Name: "tick", Data: []byte("2"), At: now}, told[0])
			assert.Equal(t, domain.Announced{Conversation: talk, Name: "tick", Data: []byte("1"), At: now}, told[1])
			assert.Equal(t, first.Message, told[2].(domain.MessageSent).Message.ID)
			assert.Equal(t, domain.ConversationUpdated{Conversation: talk, Changes: []byte(`{"a":1}`), At: now}, told[3])
			assert.Equal(t, domain.ChunkAppended{
				Conversation: talk, Message: "answer", Chunk: domain.Chunk{Index: 1}, Aborted: true,
			}, told[4])
			assert.Equal(t, domain.ChunkAppended{
				Conversation: talk, Message: "answer", Chunk: domain.Chunk{Delta: "again"},
			}, told[5])

			require.NoError(t, w.AbortStream(ctx, talk, "answer"))
			w.recorder.take(s1)
			assert.Empty(t, w.back(w.Disconnect(ctx, s1, ports.Dropped)), "it has heard all of that")
		})
	})

	t.Run("a sender hears how its message arrived, and nobody else who was away", func(t *testing.T) {
		whileAway(t, func(t *testing.T, w *world, fromBob domain.Absence) {
			w.enter("s3", "eve", talk)
			m := w.ask("s3", talk)
			gone := w.Disconnect(ctx, "s3", ports.Dropped)
			w.recorder.take("s3")
			require.NoError(t, w.Acknowledge(ctx, s2, talk, m.Seq))
			for _, e := range w.back(fromBob) {
				_, report := e.(domain.MessageDelivered)
				assert.False(t, report)
			}
			require.NoError(t, w.Acknowledge(ctx, s1, talk, m.Seq))
			require.True(t, w.recovers("s3", gone))
			told := w.recorder.take("s3")
			require.Len(t, told, 1)
			report := told[0].(domain.MessageDelivered)
			assert.Equal(t, m.ID, report.Message)
			assert.Equal(t, 2, report.Delivered)
		})
	})

	t.Run("a connected session is told nothing twice, and nothing is kept for a session that left", func(t *testing.T) {
		whileAway(t, func(t *testing.T, w *world, _ domain.Absence) {
			m := w.ask(s2, talk)
			w.enter("s4", ann, talk)
			require.NoError(t, w.Acknowledge(ctx, "s4", talk, m.Seq))
			assert.Zero(t, w.UnderWay().Unheard, "bob has not dropped")
			reports := 0
			for _, e := range w.recorder.take(s2) {
				if _, report := e.(domain.MessageDelivered); report {
					reports++
				}
			}
			assert.Equal(t, 1, reports)
		})
	})
}

func TestChat_Recover_events_bounds(t *testing.T) {
	t.Run("a session that has missed too many events in a conversation does not recover; one in other conversations does", func(t *testing.T) {
		whileAway(t, func(t *testing.T, w *world, from domain.Absence) {
			w.enter("s3", "eve", other)
			elsewhere := w.Disconnect(ctx, "s3", ports.Dropped)
			w.announce(talk, "0")
			late := domain.Absence{User: ann, Places: []domain.Place{from.Places[1]}}
			require.Equal(t, talk, late.Places[0].Conversation)
			for i := range 1000 {
				w.announce(talk, fmt.Sprint(i))
			}
			recovered, err := w.Recover(ctx, s1, from, string(ann), notReplayed(t))
			require.NoError(t, err)
			assert.False(t, recovered)
			assert.True(t, w.recovers("s3", elsewhere))
			assert.Equal(t, 1001, w.UnderWay().Unheard)
		})
	})
	t.Run("a thousand events of one conversation are kept", func(t *testing.T) {
		whileAway(t, func(t *testing.T, w *world, from domain.Absence) {
			for i := range 1000 {
				w.announce(talk, fmt.Sprint(i))
			}
			assert.Len(t, w.back(from), 1000)
		})
	})
	t.Run("large events push out old ones", func(t *testing.T) {
		whileAway(t, func(t *testing.T, w *world, from domain.Absence) {
			large := string(make([]byte, 1<<20))
			for range 70 {
				w.announce(other, large)
			}
			assert.Less(t, w.UnderWay().Unheard, 64)
			recovered, err := w.Recover(ctx, s1, from, string(ann), notReplayed(t))
			require.NoError(t, err)
			assert.False(t, recovered)
		})
	})
	t.Run("events are kept no longer than they can be asked for", func(t *testing.T) {
		whileAway(t, func(t *testing.T, w *world, from domain.Absence) {
			w.announce(talk, "1")
			w.Expire(time.Now().Add(window))
			assert.Equal(t, application.UnderWay{Unheard: 1, Away: 1}, w.UnderWay())
			w.Expire(time.Now().Add(window + time.Minute))
			assert.Equal(t, application.UnderWay{}, w.UnderWay())
			recovered, err := w.Recover(ctx, s1, from, string(ann), notReplayed(t))
			require.NoError(t, err)
			assert.False(t, recovered, "it comes too late")
		})
	})
	t.Run("nothing is kept if recovery is turned off", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.Disconnect(ctx, s1, ports.Dropped)
			w.announce(talk, "1")
			assert.Equal(t, application.UnderWay{}, w.UnderWay())
		})
	})
}

// TestChat_Recover_report ends a delivery while the sender goes or comes back: the sender is told once.
func TestChat_Recover_report(t *testing.T) {
	for when, move := range map[string]func(w *world, outcome func()){
		"while its sender drops": func(w *world, outcome func()) {
			var both sync.WaitGroup
			both.Go(outcome)
			from := w.Disconnect(ctx, s1, ports.Dropped)
			both.Wait()
			require.True(w.t, w.recovers(s1, from))
		},
		"while its sender recovers": func(w *world, outcome func()) {
			from := w.Disconnect(ctx, s1, ports.Dropped)
			var both sync.WaitGroup
			both.Go(outcome)
			recovered := w.recovers(s1, from)
			both.Wait()
			require.True(w.t, recovered)
		},
	} {
		t.Run("a report that is due "+when+" is told once", func(t *testing.T) {
			w := newWorld(t, recoverable())
			// The session leaves one conversation after the other, which makes room for the report in between.
			conversations := []domain.ConversationID{"a", "b", "c", "d", "e", "f", "g", "h"}
			w.enter(s1, ann, conversations...)
			w.enter(s2, bob, conversations...)
			for round := range 600 {
				c := conversations[round%2]
				m := w.ask(s1, c)
				move(w, func() { assert.NoError(t, w.Acknowledge(ctx, s2, c, m.Seq)) })
				reports := 0
				for _, e := range w.recorder.take(s1) {
					if report, ok := e.(domain.MessageDelivered); ok {
						reports++
						require.Equal(t, m.ID, report.Message)
					}
				}
				require.Equal(t, 1, reports, "round %d", round)
			}
		})
	}
}

func TestChat_report_once(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, recoverable())
		w.pair()
		w.ask(s1, talk)
		from := w.Disconnect(ctx, s1, ports.Dropped)
		w.Confirm(ctx, s2, w.asked(s2)[0])
		require.True(t, w.recovers(s1, from))
		assert.Len(t, w.reports(s1), 1, "kept for the user and for the session, told once")
		assert.Empty(t, w.join(s1, talk).Reports)
	})
}
