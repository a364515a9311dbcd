package application_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
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

const (
	// window is how long deliveries wait for users who dropped, in these tests.
	window = 120 * time.Second
	// allTries is the time after which who never confirms is given up.
	allTries = 14 * time.Second
)

// inWorld runs the test in a bubble where time passes when nobody has anything to do.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.ConfirmWindow = window
		w := newWorld(t, cfg)
		test(t, w)
		w.Close()
		w.ForgetReceipts()
		w.holdsNothing()
	})
}

// holdsNothing checks that nothing is under way.
func (w *world) holdsNothing() {
	w.t.Helper()
	assert.Equal(w.t, application.UnderWay{}, w.UnderWay())
	assert.Zero(w.t, w.WaitingTimers())
}

func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// ask sends a message that is to be confirmed.
func (w *world) ask(id domain.SessionID, c domain.ConversationID) domain.Message {
	w.t.Helper()
	r, err := w.Send(ctx, id, ports.Send{Conversation: c, Content: "hello", Confirm: true})
	require.NoError(w.t, err)
	return domain.Message{Draft: domain.Draft{Conversation: c, ID: r.Message}, Seq: r.At.Seq}
}

// asked returns the deliveries that the session was asked to confirm since the last call.
func (w *world) asked(id domain.SessionID) (ids []domain.DeliveryID) {
	for _, e := range w.recorder.take(id) {
		if sent, ok := e.(domain.MessageSent); ok && sent.Delivery != 0 {
			ids = append(ids, sent.Delivery)
		}
	}
	return ids
}

// reports returns what the session was told of its deliveries since the last call.
func (w *world) reports(id domain.SessionID) (all []domain.MessageDelivered) {
	for _, e := range w.recorder.take(id) {
		if d, ok := e.(domain.MessageDelivered); ok {
			all = append(all, d)
		}
	}
	return all
}

// expect checks that one delivery was reported to the session.
func (w *world) expect(id domain.SessionID, expected int, pending ...domain.UserID) {
	w.t.Helper()
	all := w.reports(id)
	if !assert.Len(w.t, all, 1, "reports to %s", id) {
		return
	}
	assert.Equal(w.t, expected, all[0].Expected)
	assert.Equal(w.t, expected-len(pending), all[0].Delivered)
	assert.Equal(w.t, len(pending), len(all[0].Pending))
	assert.Subset(w.t, all[0].Pending, pending)
	assert.True(w.t, all[0].At.Equal(time.Now()), "%v", all[0].At)
}

func TestChat_Confirm(t *testing.T) {
	t.Run("each recipient is asked once, and the sender told once all have confirmed", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
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
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
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
	t.Run("who may not confirm changes nothing", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
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
	t.Run("who is alone is told so at once", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.ask(s1, talk)
			synctest.Wait()
			w.expect(s1, 0)
		})
	})
	t.Run("a repeat asks nobody again", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
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

func TestChat_Confirm_retries(t *testing.T) {
	t.Run("who is connected is asked as often if nobody is waited for who dropped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
			w.ask(s1, talk)
			w.pass(allTries - 1)
			assert.Len(t, w.asked(s2), 3)
			assert.Empty(t, w.reports(s1))
			w.pass(1)
			w.expect(s1, 1, bob)
		})
	})
	t.Run("who does not confirm is asked three times, with growing pauses, and then pending", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
			w.enter("s3", "eve", talk)
			w.ask(s1, talk)
			first := w.asked(s2)
			w.Confirm(ctx, "s3", w.asked("s3")[0])
			for _, pause := range []time.Duration{2 * time.Second, 4 * time.Second} {
				w.pass(pause - 1)
				require.Empty(t, w.asked(s2))
				w.pass(1)
				require.Equal(t, first, w.asked(s2), "with the same id")
				require.Empty(t, w.asked("s3"), "who has confirmed")
				for _, m := range messages(w.recorder.take(s1)) {
					assert.Equal(t, uint64(1), m.Seq)
				}
			}
			w.pass(8*time.Second - 1)
			assert.Empty(t, w.reports(s1))
			w.pass(1)
			w.expect(s1, 2, bob)
			assert.Empty(t, w.asked(s2))
			w.holdsNothing()
		})
	})
	t.Run("only the sessions that are in the conversation are asked again", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
			w.enter("bob's other", bob, other)
			w.enter("bob's third", bob, talk)
			w.ask(s1, talk)
			require.NoError(t, w.Leave(ctx, "bob's third", talk))
			w.asked(s2)
			w.asked("bob's third")
			w.pass(2 * time.Second)
			assert.Len(t, w.asked(s2), 1)
			assert.Empty(t, w.asked("bob's other"))
			assert.Empty(t, w.asked("bob's third"))
		})
	})
	t.Run("a late confirmation counts until the last pause is over", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
			w.ask(s1, talk)
			asked := w.asked(s2)
			w.pass(allTries - 1)
			w.Confirm(ctx, s2, asked[0])
			w.expect(s1, 1)
		})
	})
	t.Run("who is given up is not awaited, but counts while others are", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
			w.enter("s3", "eve", talk)
			w.ask(s1, talk)
			asked := w.asked(s2)
			from := w.Disconnect(ctx, "s3", ports.Dropped)
			w.pass(allTries)
			assert.Empty(t, w.reports(s1))
			w.Confirm(ctx, s2, asked[0])
			require.True(t, w.recovers("s3", from))
			w.Confirm(ctx, "s3", asked[0])
			w.expect(s1, 2)
		})
	})
}

func TestChat_Acknowledge(t *testing.T) {
	t.Run("everything up to seq is confirmed, in that conversation alone", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk, other)
			w.enter(s2, bob, talk, other)
			for range 3 {
				w.ask(s1, talk)
			}
			w.ask(s1, other)
			require.NoError(t, w.Acknowledge(ctx, s2, talk, 0))
			assert.Empty(t, w.reports(s1))
			require.NoError(t, w.Acknowledge(ctx, s2, talk, 2))
			reports := w.reports(s1)
			require.Len(t, reports, 2)
			for i, r := range reports {
				assert.Equal(t, uint64(i+1), r.Seq)
				assert.Equal(t, talk, r.Conversation)
				assert.Equal(t, 1, r.Delivered)
			}
			require.NoError(t, w.Acknowledge(ctx, s2, talk, 1<<63))
			w.expect(s1, 1)
			require.NoError(t, w.Acknowledge(ctx, s2, other, 1))
			w.expect(s1, 1)
			w.holdsNothing()
		})
	})
	t.Run("who may not take part, is not there or not connected is refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			assertCode(t, domain.CodeForbidden, f.Acknowledge(ctx, s1, other, 1))
			assertCode(t, domain.CodeNotInConversation, f.Acknowledge(ctx, s1, talk, 1))
			assertCode(t, domain.CodeUnavailable, f.Acknowledge(ctx, "nobody", talk, 1))
		})
	})
}

func TestChat_Confirm_absence(t *testing.T) {
	t.Run("who drops before confirming and recovers is asked by the replay", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
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
	t.Run("a replay asks nothing of who has confirmed, nor for messages that asked for nothing", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
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
	t.Run("who comes back by joining and catches up is asked again, three times", func(t *testing.T) {
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
	t.Run("who joins only to hear what comes is not asked for what was before", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
			w.ask(s1, talk)
			w.Disconnect(ctx, s2, ports.Dropped)
			w.enter("s3", bob, talk)
			w.pass(126 * time.Second) // the first look after the window
			assert.Empty(t, w.asked("s3"))
			w.expect(s1, 1, bob)
		})
	})
	t.Run("who does not come back is waited for as long as it may, and then pending", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
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
		t.Run("who "+way+" is waited for no more", func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.enter(s1, ann, talk)
				w.enter(s2, bob, talk)
				w.ask(s1, talk)
				leave(w)
				w.expect(s1, 1, bob)
			})
		})
		t.Run("who "+way+" by one tab of two is waited for", func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.enter(s1, ann, talk)
				w.enter(s2, bob, talk)
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
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
			w.ask(s1, talk)
			w.enter("s3", "eve", talk)
			w.Confirm(ctx, s2, w.asked(s2)[0])
			w.expect(s1, 1)
		})
	})
	t.Run("a sender who has gone is told when it comes back to the conversation", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
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
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
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
	t.Run("recovering beside somebody who is alone with a message does not swallow its report", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter("ann's other", ann, talk)
			from := w.Disconnect(ctx, "ann's other", ports.Dropped)
			w.ask(s1, talk)
			require.True(t, w.recovers("ann's other", from)) // before the timer has told that nobody is expected
			synctest.Wait()
			w.expect(s1, 0)
		})
	})
}

func TestChat_Confirm_bounds(t *testing.T) {
	t.Run("one conversation may wait for 1000 messages", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk, other)
			w.enter(s2, bob, talk, other)
			var last domain.Message
			for range 1000 {
				last = w.ask(s1, talk)
			}
			_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello", Confirm: true})
			assertCode(t, domain.CodeLimitExceeded, err)
			assert.Positive(t, domain.AsError(err).RetryAfter)
			again, err := w.Send(ctx, s1, ports.Send{Conversation: talk, ID: last.ID, Content: "hello", Confirm: true})
			require.NoError(t, err, "a repeat needs no place")
			assert.True(t, again.Duplicate)
			w.ask(s1, other)
			_, err = w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
			require.NoError(t, err, "messages that nobody confirms")
			require.NoError(t, w.Acknowledge(ctx, s2, talk, 1))
			w.ask(s1, talk)
			head, err := w.log.Head(ctx, talk)
			require.NoError(t, err)
			assert.Equal(t, uint64(1002), head.Seq, "what was refused is not in the log")
		})
	})
	t.Run("what is waited for is bounded in bytes, in one conversation and in all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, application.Config{ConfirmWindow: window})
			var refused []domain.ConversationID
			large := strings.Repeat("x", 1<<20)
			w.connect(s1, ann)
			w.connect(s2, bob)
			for i := range 6 {
				c := domain.ConversationID(fmt.Sprint("c", i))
				w.join(s1, c)
				w.join(s2, c)
				sent := 0
				for ; sent < 40; sent++ {
					if _, err := w.Send(ctx, s1, ports.Send{Conversation: c, Content: large, Confirm: true}); err != nil {
						assertCode(t, domain.CodeLimitExceeded, err)
						refused = append(refused, c)
						break
					}
				}
				w.recorder.take(s2)
				if i < 4 {
					assert.Equal(t, 31, sent, "a quarter of 128 MiB")
				}
			}
			assert.Len(t, refused, 6)
			assert.LessOrEqual(t, w.UnderWay().DeliveryBytes, int64(128<<20))
			w.pass(allTries)
			w.holdsNothing()
		})
	})
}

func TestChat_Close_deliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, config())
		w.enter(s1, ann, talk, other)
		w.enter(s2, bob, talk, other)
		w.ask(s1, talk)
		w.ask(s1, other)
		w.Confirm(ctx, s2, w.asked(s2)[0])
		w.reports(s1)
		w.Close()
		w.expect(s1, 1, bob)
		_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello", Confirm: true})
		assertCode(t, domain.CodeDraining, err)
		w.holdsNothing()
		w.Close()
		assert.Empty(t, w.reports(s1), "once")
	})
}

// eager is a broadcaster whose recipients confirm at once, while the others' turn has not come.
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

// TestChat_Confirm_order: the sender sees its message before what became of it.
func TestChat_Confirm_order(t *testing.T) {
	w := newWorld(t, config())
	out := &eager{recorder: w.recorder}
	w.Chat = application.NewChat(application.Config{Access: domain.AccessAuthenticated}, names{}, w.rooms, w.log, out,
		w.recorder, slog.New(failing{t}))
	t.Cleanup(w.Close)
	out.confirm = func(id domain.SessionID, d domain.DeliveryID) { w.Confirm(ctx, id, d) }
	w.enter(s2, bob, talk) // first, so that it is told first
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
