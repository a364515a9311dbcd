package application_test

import (
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

func TestChat_Disconnect_dropped(t *testing.T) {
	t.Run("the departure is told after the grace time, where the session was the last", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other, third)
			until := time.Now().Add(grace)
			f.expectDrop(talk, s1, ann, true)
			f.expectDrop(other, s1, ann, false)
			f.expectDrop(third, s1, ann, true)
			f.Disconnect(ctx, s1, ports.Dropped)
			f.pass(grace - 1)

			// The user has come back to the third conversation: the store says that it did not depart.
			f.rooms.EXPECT().Expire(live{}, talk.Room(), ann, until).Return(true, nil)
			f.rooms.EXPECT().Sessions(live{}, talk.Room()).Return([]domain.SessionID{s2}, nil)
			f.out.EXPECT().Broadcast([]domain.SessionID{s2}, nobody,
				domain.UserLeft{Conversation: talk, User: ann, At: until})
			f.rooms.EXPECT().Expire(live{}, third.Room(), ann, until).Return(false, nil)
			f.pass(1)
		})
	})
	t.Run("a user who comes back in the grace time is not announced, nor reported gone when it ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.pair()
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
	t.Run("a user who comes back and drops again has the whole grace time again", func(t *testing.T) {
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
	t.Run("a user who comes back and leaves is announced once", func(t *testing.T) {
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
	t.Run("the absence holds the newest place of each conversation, read before the session leaves the room", func(t *testing.T) {
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
	t.Run("the absence of a session in no conversation names its user", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann)
			assert.Equal(t, absence(ann), f.Disconnect(ctx, s1, ports.Dropped))
		})
	})
	t.Run("there is no absence for a session that left, was disconnected before or is unknown", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann)
			assert.Zero(t, f.Disconnect(ctx, s1, ports.Left))
			assert.Zero(t, f.Disconnect(ctx, s1, ports.Dropped))
			assert.Zero(t, f.Disconnect(ctx, "nobody", ports.Dropped))
		})
	})
	t.Run("there is no absence if one place is not known, and the session is out of every room all the same", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other)
			f.log.EXPECT().Head(live{}, talk).Return(domain.Position{}, errStore)
			f.rooms.EXPECT().Drop(live{}, talk.Room(), s1, ann, time.Now().Add(grace)).Return(false, nil)
			f.expectDrop(other, s1, ann, false)
			assert.Zero(t, f.Disconnect(ctx, s1, ports.Dropped))
			assert.Contains(t, f.logged.String(), "conversations=1")
		})
	})
	t.Run("there is no absence if a room was not left, because later messages may have been sent", func(t *testing.T) {
		for sentence, cfg := range map[string]application.Config{"the room fails to drop the session": config(), "the room fails to let it leave": {}} {
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
