package application_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/mock/gomock"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

const nobody domain.SessionID = ""

func TestChat_Disconnect_left(t *testing.T) {
	t.Run("the user's departure is told at once in each conversation", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other)
			for _, c := range []domain.ConversationID{talk, other} {
				f.rooms.EXPECT().Leave(live{}, c.Room(), s1, ann).Return(true, nil)
				f.rooms.EXPECT().Sessions(live{}, c.Room()).Return([]domain.SessionID{s2}, nil)
				f.out.EXPECT().Broadcast([]domain.SessionID{s2}, nobody,
					domain.UserLeft{Conversation: c, User: ann, At: time.Now()})
			}
			f.Disconnect(ctx, s1, ports.Left)
		})
	})
	t.Run("nobody is told of a user who has another session there, nor in an empty room", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(false, nil)
			f.rooms.EXPECT().Leave(live{}, other.Room(), s1, ann).Return(true, nil)
			f.rooms.EXPECT().Sessions(live{}, other.Room()).Return(nil, nil)
			f.Disconnect(ctx, s1, ports.Left)
		})
	})
	t.Run("with no grace time, a drop is told at once too", func(t *testing.T) {
		onMocks(t, application.Config{}, func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.log.EXPECT().Head(live{}, talk).Return(at(7), nil)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(true, nil)
			f.rooms.EXPECT().Sessions(live{}, talk.Room()).Return([]domain.SessionID{s2}, nil)
			f.out.EXPECT().Broadcast([]domain.SessionID{s2}, nobody,
				domain.UserLeft{Conversation: talk, User: ann, At: time.Now()})
			assert.Equal(t, absence(ann, place(talk, 7)), f.Disconnect(ctx, s1, ports.Dropped))
		})
	})
}

func TestChat_Disconnect_dropped(t *testing.T) {
	t.Run("the departure is told after the grace time, where the session was the last", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other, "third")
			until := time.Now().Add(grace)
			f.expectDrop(talk, s1, ann, true)
			f.expectDrop(other, s1, ann, false)
			f.expectDrop("third", s1, ann, true)
			f.Disconnect(ctx, s1, ports.Dropped)
			f.pass(grace - 1)

			// The user came back to the third: the store says that it did not depart.
			f.rooms.EXPECT().Expire(live{}, talk.Room(), ann, until).Return(true, nil)
			f.rooms.EXPECT().Sessions(live{}, talk.Room()).Return([]domain.SessionID{s2}, nil)
			f.out.EXPECT().Broadcast([]domain.SessionID{s2}, nobody,
				domain.UserLeft{Conversation: talk, User: ann, At: until})
			f.rooms.EXPECT().Expire(live{}, domain.ConversationID("third").Room(), ann, until).Return(false, nil)
			f.pass(1)
		})
	})
	t.Run("coming back in the grace time is silent, and so is what the timer does then", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.enter(s1, ann, talk)
			w.enter(s2, bob, talk)
			w.recorder.take(s1)
			w.Disconnect(ctx, s1, ports.Dropped)
			assert.Equal(t, []domain.UserID{ann, bob}, w.members(talk))
			time.Sleep(grace - 1)
			w.enter("s3", ann, talk)
			time.Sleep(2 * grace)
			synctest.Wait()
			assert.Equal(t, []domain.UserID{ann, bob}, w.members(talk))
			assert.Empty(t, w.recorder.take(s2))
		})
	})
	t.Run("who comes back and drops again has the whole grace time again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.enter(s2, bob, talk)
			w.enter(s1, ann, talk)
			w.Disconnect(ctx, s1, ports.Dropped)
			time.Sleep(5 * time.Second)
			w.enter(s1, ann, talk)
			time.Sleep(time.Second)
			w.Disconnect(ctx, s1, ports.Dropped)
			second := time.Now().Add(grace)
			w.recorder.take(s2)

			time.Sleep(grace - 1)
			synctest.Wait()
			assert.Empty(t, w.recorder.take(s2), "the first timer ran out and may not end the second grace time")
			assert.Contains(t, w.members(talk), ann)
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			assert.Equal(t, []domain.Event{domain.UserLeft{Conversation: talk, User: ann, At: second}}, w.recorder.take(s2))
			assert.Equal(t, []domain.UserID{bob}, w.members(talk))
		})
	})
	t.Run("who comes back and leaves is told once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.enter(s2, bob, talk)
			w.enter(s1, ann, talk)
			w.recorder.take(s2)
			w.Disconnect(ctx, s1, ports.Dropped)
			w.enter("s3", ann, talk)
			require.NoError(t, w.Leave(ctx, "s3", talk))
			left := time.Now()
			time.Sleep(2 * grace)
			synctest.Wait()
			assert.Equal(t, []domain.Event{domain.UserLeft{Conversation: talk, User: ann, At: left}}, w.recorder.take(s2))
		})
	})
}

func TestChat_Disconnect_absence(t *testing.T) {
	t.Run("tells the newest place of each conversation, read before the session leaves the room", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other)
			gomock.InOrder(
				f.log.EXPECT().Head(live{}, talk).Return(at(7), nil).Call,
				f.rooms.EXPECT().Drop(live{}, talk.Room(), s1, ann, time.Now().Add(grace)).Return(false, nil).Call,
			)
			gomock.InOrder(
				f.log.EXPECT().Head(live{}, other).Return(at(0), nil).Call,
				f.rooms.EXPECT().Drop(live{}, other.Room(), s1, ann, time.Now().Add(grace)).Return(false, nil).Call,
			)
			assert.Equal(t, absence(ann, place(other, 0), place(talk, 7)), f.Disconnect(ctx, s1, ports.Dropped))
		})
	})
	t.Run("of a session in no conversation names its user", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann)
			assert.Equal(t, absence(ann), f.Disconnect(ctx, s1, ports.Dropped))
		})
	})
	t.Run("is nothing for a session that left, for the second time and for an unknown one", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann)
			assert.Zero(t, f.Disconnect(ctx, s1, ports.Left))
			assert.Zero(t, f.Disconnect(ctx, s1, ports.Dropped))
			assert.Zero(t, f.Disconnect(ctx, "nobody", ports.Dropped))
		})
	})
	t.Run("is nothing if one place is not known, and the session is out of every room all the same", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other)
			f.log.EXPECT().Head(live{}, talk).Return(domain.Position{}, errStore)
			f.rooms.EXPECT().Drop(live{}, talk.Room(), s1, ann, time.Now().Add(grace)).Return(false, nil)
			f.expectDrop(other, s1, ann, false)
			assert.Zero(t, f.Disconnect(ctx, s1, ports.Dropped))
			assert.Contains(t, f.logged.String(), "conversations=1")
		})
	})
	t.Run("is nothing if a room was not left: what came after the place may have been sent", func(t *testing.T) {
		for sentence, cfg := range map[string]application.Config{"by a drop": config(), "for good": {}} {
			t.Run(sentence, func(t *testing.T) {
				onMocks(t, cfg, func(t *testing.T, f *fixture) {
					f.enter(s1, ann, talk)
					f.log.EXPECT().Head(live{}, talk).Return(at(7), nil)
					if cfg.PresenceGrace > 0 {
						f.rooms.EXPECT().Drop(live{}, talk.Room(), s1, ann, time.Now().Add(grace)).Return(false, errStore)
					} else {
						f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(false, errStore)
					}
					assert.Zero(t, f.Disconnect(ctx, s1, ports.Dropped))
				})
			})
		}
	})
}

func TestChat_Disconnect_ends_the_session(t *testing.T) {
	t.Run("later calls are refused, a second Disconnect and an unknown id are ignored", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(false, nil)
			f.Disconnect(ctx, s1, ports.Left)
			f.Disconnect(ctx, s1, ports.Left)
			f.Disconnect(ctx, "nobody", ports.Dropped)
			_, err := f.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
			assertCode(t, domain.CodeUnavailable, err)
			assertCode(t, domain.CodeUnavailable, f.Join(ctx, s1, ports.Join{Conversation: talk}, notAdmitted(t)))
			assertCode(t, domain.CodeUnavailable, f.Leave(ctx, s1, talk))
		})
	})
	t.Run("also when the caller's context is done", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			gone, cancel := context.WithCancel(ctx)
			cancel()
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(false, nil)
			f.Disconnect(gone, s1, ports.Left)
		})
	})
	t.Run("a store that fails in one conversation is logged, and the others have their turn", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other, "third")
			f.rooms.EXPECT().Leave(live{}, other.Room(), s1, ann).Return(false, errStore)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(true, nil)
			f.rooms.EXPECT().Sessions(live{}, talk.Room()).Return(nil, errStore)
			f.rooms.EXPECT().Leave(live{}, domain.ConversationID("third").Room(), s1, ann).Return(true, nil)
			f.rooms.EXPECT().Sessions(live{}, domain.ConversationID("third").Room()).Return([]domain.SessionID{s2}, nil)
			f.out.EXPECT().Broadcast([]domain.SessionID{s2}, nobody,
				domain.UserLeft{Conversation: "third", User: ann, At: time.Now()})
			f.Disconnect(ctx, s1, ports.Left)
			assert.Equal(t, 1, strings.Count(f.logged.String(), "\n"))
			assert.Contains(t, f.logged.String(), "conversations=2")
		})
	})
	t.Run("a Join on its way is waited for and undone", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			asked, answer := make(chan struct{}), make(chan struct{})
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(false, nil)
			f.log.EXPECT().Head(ctx, talk).DoAndReturn(func(context.Context, domain.ConversationID) (domain.Position, error) {
				close(asked)
				<-answer
				return domain.Position{}, nil
			})
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil)
			admitted := false
			go func() {
				assert.NoError(t, f.Join(ctx, s1, ports.Join{Conversation: talk}, func(ports.Joined) { admitted = true }))
			}()
			<-asked
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).DoAndReturn(
				func(context.Context, domain.RoomID, domain.SessionID, domain.UserID) (bool, error) {
					assert.True(t, admitted, "left before the join was done")
					return false, nil
				})
			// Time stands still while a mutex is waited for, so the answer is let go by hand.
			go func() { close(answer) }()
			f.Disconnect(ctx, s1, ports.Left)
			synctest.Wait()
		})
	})
	t.Run("the id stays taken until its last session is out of all rooms", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).DoAndReturn(
				func(context.Context, domain.RoomID, domain.SessionID, domain.UserID) (bool, error) {
					f.auth.EXPECT().Authenticate(ctx, "again").Return(domain.Identity{User: ann}, nil)
					_, err := f.Connect(ctx, s1, "again")
					assertCode(t, domain.CodeUnavailable, err)
					return false, nil
				})
			f.Disconnect(ctx, s1, ports.Left)
			f.connect(s1, ann)
		})
	})
}

func TestChat_Close(t *testing.T) {
	dropped := func(f *fixture) (until time.Time) {
		f.enter(s1, ann, talk)
		f.expectDrop(talk, s1, ann, true)
		f.Disconnect(ctx, s1, ports.Dropped)
		return time.Now().Add(grace)
	}
	t.Run("timers that wait are stopped, and nobody is told", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			dropped(f)
			f.Close()
			f.pass(2 * grace)
		})
	})
	t.Run("a timer that runs is waited for", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			until := dropped(f)
			answer := make(chan struct{})
			f.rooms.EXPECT().Expire(live{}, talk.Room(), ann, until).DoAndReturn(
				func(context.Context, domain.RoomID, domain.UserID, time.Time) (bool, error) {
					<-answer
					return false, nil
				})
			f.pass(grace)
			closed := make(chan struct{})
			go func() { f.Close(); close(closed) }()
			synctest.Wait()
			select {
			case <-closed:
				t.Fatal("closed while a timer ran")
			default:
			}
			close(answer)
			<-closed
		})
	})
	t.Run("later departures are silent, and start no timer", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.enter(s2, bob, talk)
			f.Close()
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(true, nil)
			f.Disconnect(ctx, s1, ports.Left)
			f.expectDrop(talk, s2, bob, true)
			f.Disconnect(ctx, s2, ports.Dropped)
			f.pass(2 * grace)
		})
	})
	t.Run("nothing is accepted any more: those who have gone to another server would not hear it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.enter(s1, ann, talk)
			w.Close()
			_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
			assertCode(t, domain.CodeDraining, err)
			_, err = w.Publish(ctx, ports.Publish{Conversation: talk, User: ann, Content: "hello"})
			assertCode(t, domain.CodeDraining, err)
			assertCode(t, domain.CodeDraining, w.Update(ctx, talk, []byte("{}")))
			assert.Empty(t, w.recorder.take(s1))
		})
	})
	t.Run("twice is once", func(t *testing.T) {
		onMocks(t, config(), func(_ *testing.T, f *fixture) { f.Close() })
	})
}

func TestChat_timers_fail_alone(t *testing.T) {
	tests := map[string]struct {
		expire func() (bool, error)
		logged string
	}{
		"an error is logged":           {func() (bool, error) { return false, errStore }, "a user's grace time did not end"},
		"a panic is logged and caught": {func() (bool, error) { panic("broken") }, "panic=broken"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.enter(s1, ann, talk)
				until := time.Now().Add(grace)
				f.expectDrop(talk, s1, ann, true)
				f.Disconnect(ctx, s1, ports.Dropped)
				f.rooms.EXPECT().Expire(live{}, talk.Room(), ann, until).DoAndReturn(
					func(context.Context, domain.RoomID, domain.UserID, time.Time) (bool, error) { return test.expire() })
				f.pass(grace)
				assert.Contains(t, f.logged.String(), test.logged)
				// The conversation's lock was given back.
				f.enter(s2, bob, talk)
			})
		})
	}
}
