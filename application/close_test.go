package application_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/domain"
	"parley/ports"
)

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
	t.Run("messages and events are refused, because clients on another server would not get them", func(t *testing.T) {
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
	t.Run("closing twice is the same as closing once", func(t *testing.T) {
		onMocks(t, config(), func(_ *testing.T, f *fixture) { f.Close() })
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
