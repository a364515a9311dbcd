package application_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

// hooked calls hooks in the middle of what the application does.
type hooked struct {
	ports.RoomStore
	ports.MessageLog
	leave, append func()
	// listed, unless it is nil, is what Rooms returns.
	listed []domain.RoomID
}

func (h *hooked) Leave(ctx context.Context, r domain.RoomID, s domain.SessionID, u domain.UserID) (bool, error) {
	if h.leave != nil {
		h.leave()
	}
	return h.RoomStore.Leave(ctx, r, s, u)
}

func (h *hooked) Append(ctx context.Context, d domain.Draft, now time.Time) (domain.Message, bool, error) {
	if h.append != nil {
		h.append()
	}
	return h.MessageLog.Append(ctx, d, now)
}

func (h *hooked) Rooms(ctx context.Context, after domain.RoomID, limit int) ([]domain.RoomID, error) {
	if h.listed != nil {
		return h.listed, nil
	}
	return h.RoomStore.Rooms(ctx, after, limit)
}

// yield lets other goroutines run for a while, or until f is true.
func yield(f func() bool) {
	for n := 0; n < 5000 && !f(); n++ {
		runtime.Gosched()
	}
}

func never() bool { return false }

func TestChat_in_between(t *testing.T) {
	open := func(t *testing.T) (*world, *hooked) {
		w := newWorld(t, config())
		h := &hooked{RoomStore: w.rooms, MessageLog: w.log}
		w.rewire(application.Config{Access: domain.AccessAuthenticated}, wiring{rooms: h, log: h})
		return w, h
	}
	t.Run("a message that was accepted before Close is reported by Close", func(t *testing.T) {
		w, h := open(t)
		w.pair()
		w.recorder.take(s1)
		var closing sync.WaitGroup
		h.append = func() {
			closing.Go(w.Close)
			for !w.Draining() {
				runtime.Gosched()
			}
			yield(never)
		}
		w.ask(s1, talk)
		closing.Wait()
		assert.Len(t, w.reports(s1), 1)
		assert.Zero(t, w.UnderWay().Deliveries)
	})
	t.Run("a session that drops while leaving does not come back to what it has left", func(t *testing.T) {
		w, h := open(t)
		w.enter(s1, ann, talk, other)
		w.enter(s2, bob, talk)
		var absence domain.Absence
		var dropping sync.WaitGroup
		h.leave = func() {
			h.leave = nil
			dropping.Go(func() { absence = w.Disconnect(ctx, s1, ports.Dropped) })
			yield(func() bool {
				_, err := w.Presence(ctx, s1, other)
				return err != nil
			})
		}
		require.NoError(t, w.Leave(ctx, s1, talk))
		dropping.Wait()
		require.Len(t, absence.Places, 1)
		assert.Equal(t, other, absence.Places[0].Conversation)
		require.True(t, w.recovers(s1, absence))
		assert.Equal(t, []domain.UserID{bob}, w.members(talk))
	})
	t.Run("a call that waits for its turn when Close begins is refused", func(t *testing.T) {
		w, h := open(t)
		w.enter(s1, ann, talk)
		var all sync.WaitGroup
		h.append = func() {
			for _, late := range []func() error{
				func() error { return w.Announce(ctx, talk, "tick", nil) },
				func() error { return w.Update(ctx, talk, []byte("{}")) },
				func() error { return w.ShowTyping(ctx, talk, bob, true) },
			} {
				all.Go(func() { refused(t, domain.CodeDraining, late()) })
			}
			yield(never)
			all.Go(w.Close)
			yield(w.Draining)
		}
		_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
		require.NoError(t, err)
		all.Wait()
		assert.Len(t, w.recorder.take(s1), 1, "the message")
	})
	t.Run("a user who has gone is not shown typing", func(t *testing.T) {
		w, h := open(t)
		w.pair()
		w.recorder.take(s2)
		var all sync.WaitGroup
		h.append = func() {
			all.Go(func() { refused(t, domain.CodeUnavailable, w.Typing(ctx, s1, talk, true)) })
			yield(never)
			all.Go(func() { w.Disconnect(ctx, s1, ports.Left) })
			yield(func() bool {
				_, err := w.Presence(ctx, s1, talk)
				return err != nil
			})
		}
		_, err := w.Send(ctx, s2, ports.Send{Conversation: talk, Content: "hello"})
		require.NoError(t, err)
		all.Wait()
		told := w.recorder.take(s2)
		require.Len(t, told, 2)
		assert.IsType(t, domain.UserLeft{}, told[1])
	})
	t.Run("a session that is just being taken out is not found by a sweep", func(t *testing.T) {
		w, h := open(t)
		w.enter(s1, ann, talk, other)
		h.listed = []domain.RoomID{talk.Room()}
		swept := make(chan int, 1)
		h.leave = func() {
			h.leave = nil
			go func() {
				removed, unknown := w.Sweep(ctx, time.Now())
				swept <- removed + unknown
			}()
			yield(func() bool { return len(swept) > 0 })
		}
		w.Disconnect(ctx, s1, ports.Left) // leaves other first, while it is still in the room of talk
		assert.Zero(t, <-swept)
	})
	t.Run("a session that is just being taken out does not expire", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			until := time.Now().Add(time.Hour)
			f.connectUntil(s1, ann, until)
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(false, nil)
			f.log.EXPECT().Head(ctx, talk).Return(domain.Position{}, nil)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil)
			require.NoError(t, f.Join(ctx, s1, ports.Join{Conversation: talk}, func(ports.Joined) {}))
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).DoAndReturn(
				func(context.Context, domain.RoomID, domain.SessionID, domain.UserID) (bool, error) {
					f.Expire(until)
					return false, nil
				})
			f.Disconnect(ctx, s1, ports.Left)
		})
	})
}
