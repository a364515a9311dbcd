package application_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

func TestChat_Confirm_absence(t *testing.T) {
	t.Run("a user who drops before confirming and recovers is asked by the replay", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			from := w.Disconnect(ctx, s2, ports.Dropped)
			w.ask(s1, talk)
			w.pass(window - 30*time.Second)
			assert.Empty(t, w.reports(s1))
			var asked []domain.DeliveryID
			recovered, err := w.Recover(ctx, s2, from, string(bob), func(events []domain.Event) {
				for _, e := range events {
					asked = append(asked, e.(domain.MessageSent).Delivery)
				}
			})
			require.NoError(t, err)
			require.True(t, recovered)
			require.Len(t, asked, 1)
			require.NotZero(t, asked[0])
			w.Confirm(ctx, s2, asked[0])
			w.expect(s1, 1)
		})
	})
	t.Run("a replay does not ask for what was confirmed, nor for messages without confirmation", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.enter("s3", "eve", talk)
			w.enter("bob's other", bob, talk)
			from := w.Disconnect(ctx, s2, ports.Dropped)
			w.ask(s1, talk)
			_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
			require.NoError(t, err)
			w.Confirm(ctx, "bob's other", w.asked("bob's other")[0])
			_, err = w.Recover(ctx, s2, from, string(bob), func(events []domain.Event) {
				require.Len(t, events, 2)
				for _, e := range events {
					assert.Zero(t, e.(domain.MessageSent).Delivery)
				}
			})
			require.NoError(t, err)
		})
	})
	t.Run("a user who comes back by joining and catches up is asked again, three times", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.connect(s2, bob)
			at := w.join(s2, talk).At
			w.ask(s1, talk)
			w.Disconnect(ctx, s2, ports.Dropped)
			w.pass(40 * time.Second)
			w.connect("s3", bob)
			require.NoError(t, w.Join(ctx, "s3", ports.Join{Conversation: talk, After: &at}, func(j ports.Joined) {
				assert.Len(t, j.Messages, 1)
			}))
			w.asked("s3")
			w.pass(30 * time.Second)
			assert.Len(t, w.asked("s3"), 3)
			w.expect(s1, 1, bob)
		})
	})
	t.Run("a session that joins without catching up is not asked for earlier messages", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.ask(s1, talk)
			w.Disconnect(ctx, s2, ports.Dropped)
			w.enter("s3", bob, talk)
			w.pass(126 * time.Second) // the first retry after the window
			assert.Empty(t, w.asked("s3"))
			w.expect(s1, 1, bob)
		})
	})
	t.Run("a user who does not come back is waited for until the window is over, and is then pending", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.ask(s1, talk)
			w.Disconnect(ctx, s2, ports.Dropped)
			w.pass(window - 1)
			assert.Empty(t, w.reports(s1))
			w.pass(8 * time.Second)
			assert.Equal(t, []domain.UserID{bob}, w.reports(s1)[0].Pending)
			w.holdsNothing()
		})
	})
	ways := map[string]func(w *world){
		"leaves":       func(w *world) { require.NoError(w.t, w.Leave(ctx, s2, talk)) },
		"says goodbye": func(w *world) { w.Disconnect(ctx, s2, ports.Left) },
	}
	for way, leave := range ways {
		t.Run("a user who "+way+" is no longer waited for", func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.pair()
				w.ask(s1, talk)
				leave(w)
				w.expect(s1, 1, bob)
			})
		})
		t.Run("a user who "+way+" in one tab of two is still waited for", func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.pair()
				w.enter("bob's other", bob, talk)
				w.ask(s1, talk)
				leave(w)
				assert.Empty(t, w.reports(s1))
				w.Confirm(ctx, "bob's other", w.asked("bob's other")[0])
				w.expect(s1, 1)
			})
		})
	}
	t.Run("the number of users is that of the moment of acceptance", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.ask(s1, talk)
			w.enter("s3", "eve", talk)
			w.Confirm(ctx, s2, w.asked(s2)[0])
			w.expect(s1, 1)
		})
	})
	t.Run("a sender who has gone is told when it comes back to the conversation", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			m := w.ask(s1, talk)
			w.Disconnect(ctx, s1, ports.Left)
			w.Confirm(ctx, s2, w.asked(s2)[0])
			w.connect("s3", ann)
			assert.Empty(t, w.join("s3", other).Reports)
			reports := w.join("s3", talk).Reports
			require.Len(t, reports, 1)
			assert.Equal(t, m.ID, reports[0].Message)
			assert.Equal(t, 1, reports[0].Delivered)
			assert.Empty(t, w.join("s3", talk).Reports, "once")
			w.holdsNothing()
		})
	})
	t.Run("a sender who recovers is told, and one who never comes back leaves nothing", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.ask(s1, talk)
			from := w.Disconnect(ctx, s1, ports.Dropped)
			w.Confirm(ctx, s2, w.asked(s2)[0])
			var told []domain.Event
			recovered, err := w.Recover(ctx, s1, from, string(ann), func(events []domain.Event) { told = events })
			require.NoError(t, err)
			require.True(t, recovered)
			require.Len(t, told, 1)
			assert.IsType(t, domain.MessageDelivered{}, told[0])
			w.ask(s1, talk)
			w.Disconnect(ctx, s1, ports.Left)
			w.Confirm(ctx, s2, w.asked(s2)[0])
			w.pass(window)
			w.holdsNothing()
		})
	})
	t.Run("a recovery does not swallow the report to a sender who is alone", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter("ann's other", ann, talk)
			from := w.Disconnect(ctx, "ann's other", ports.Dropped)
			w.ask(s1, talk)
			require.True(t, w.recovers("ann's other", from)) // before the timer has reported that nobody is to confirm
			synctest.Wait()
			w.expect(s1, 0)
		})
	})
}
