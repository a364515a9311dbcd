package application_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/mock/gomock"

	"parley/domain"
	"parley/ports"
)

func TestChat_Recover(t *testing.T) {
	t.Run("a recovery checks all places first, then joins each conversation and replays it before any live event", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			from := absence(ann, place(other, 3), place(talk, 7))
			f.allow(ann, "talk", "other")
			missed := said(talk, 8, 2)
			var replayed []domain.Message
			gomock.InOrder(
				f.log.EXPECT().After(ctx, other, at(3)).Return(nil, "", nil).Call,
				f.log.EXPECT().After(ctx, talk, at(7)).Return(missed, "", nil).Call,

				f.rooms.EXPECT().Join(ctx, other.Room(), s1, ann).Return(false, nil).Call,
				f.log.EXPECT().Head(ctx, other).Return(at(3), nil).Call,
				f.log.EXPECT().After(ctx, other, at(3)).Return(nil, "", nil).Call,
				f.rooms.EXPECT().Members(ctx, other.Room()).Return(nil, nil).Call,

				f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(true, nil).Call,
				f.log.EXPECT().Head(ctx, talk).Return(at(9), nil).Call,
				f.log.EXPECT().After(ctx, talk, at(7)).Return(missed, "", nil).Call,
				f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil).Call,
				f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return([]domain.SessionID{s1, s2}, nil).Call,
				f.out.EXPECT().Broadcast([]domain.SessionID{s1, s2}, s1,
					domain.UserJoined{Conversation: talk, User: ann, At: time.Now()}).Call,
			)
			recovered, err := f.Recover(ctx, s1, from, "token of ann", func(es []domain.Event) {
				replayed = append(replayed, messages(es)...)
			})
			require.NoError(t, err)
			assert.True(t, recovered)
			assert.Equal(t, missed, replayed)
			assert.Equal(t, 1, f.SessionCount())
		})
	})

	t.Run("the recovery of a session that was in no conversation opens it again", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.allow(ann)
			f.recovers(absence(ann))
			assert.Equal(t, 1, f.SessionCount())
		})
	})

	t.Run("the session takes part again, and where it was dropped from next is known again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.enter(s1, ann, talk)
			first := w.Disconnect(ctx, s1, ports.Dropped)
			_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "lost"})
			assertCode(t, domain.CodeUnavailable, err)
			require.True(t, w.recovers(s1, first))
			_, err = w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "heard"})
			require.NoError(t, err)
			second := w.Disconnect(ctx, s1, ports.Dropped)
			assert.Equal(t, first.Places[0].At.Seq+1, second.Places[0].At.Seq)
		})
	})
}

func TestChat_Recover_refused(t *testing.T) {
	from := absence(ann, place(other, 3), place(talk, 7))

	t.Run("a token that is not valid is an error, and a good one recovers after it", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.auth.EXPECT().Authenticate(ctx, "old").Return(domain.Identity{}, domain.Errorf(domain.CodeTokenExpired, "too old"))
			_, err := f.Recover(ctx, s1, from, "old", notReplayed(t))
			assertCode(t, domain.CodeTokenExpired, err)
			assert.Zero(t, f.SessionCount())

			f.allow(ann, "*")
			f.expectLook(from)
			f.expectBack(from)
			f.recovers(from)
		})
	})
	t.Run("another user's token does not recover, and nothing is looked at", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.allow(bob, "*")
			f.doesNotRecover(from, bob)
		})
	})
	t.Run("an absence that is not known does not recover", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.allow(ann, "*")
			f.doesNotRecover(domain.Absence{}, ann)
		})
	})
	t.Run("a session that may no longer be in one of the conversations is put back into none", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.allow(ann, "other")
			f.log.EXPECT().After(ctx, other, at(3)).Return(nil, "", nil)
			f.doesNotRecover(from, ann)
		})
	})
	for sentence, gap := range map[string]string{
		"messages that are trimmed": ports.GapTrimmed, "another life of the conversation": ports.GapEpoch,
	} {
		t.Run(sentence+" cannot be replayed", func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.allow(ann, "*")
				f.log.EXPECT().After(ctx, other, at(3)).Return(nil, "", nil)
				f.log.EXPECT().After(ctx, talk, at(7)).Return(nil, gap, nil)
				f.doesNotRecover(from, ann)
			})
		})
	}
	t.Run("more than ten thousand missed messages, in all conversations together, are too many to replay", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.allow(ann, "*")
			f.log.EXPECT().After(ctx, other, at(3)).Return(said(other, 4, 5_000), "", nil)
			f.log.EXPECT().After(ctx, talk, at(7)).Return(said(talk, 8, 5_001), "", nil)
			f.doesNotRecover(from, ann)
		})
	})
	t.Run("ten thousand missed messages are replayed", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.allow(ann, "*")
			from := absence(ann, place(talk, 7))
			missed := said(talk, 8, 10_000)
			f.log.EXPECT().After(ctx, talk, at(7)).Return(missed, "", nil).Times(2)
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(false, nil)
			f.log.EXPECT().Head(ctx, talk).Return(at(10_007), nil)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil)
			assert.Len(t, f.recovers(from), 10_000)
		})
	})
	t.Run("a log that fails is an error, and nothing was touched", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.allow(ann, "*")
			f.log.EXPECT().After(ctx, other, at(3)).Return(nil, "", errStore)
			_, err := f.Recover(ctx, s1, from, "token of ann", notReplayed(t))
			assertCode(t, domain.CodeUnavailable, err)
			assert.Zero(t, f.SessionCount())
		})
	})
	t.Run("a recovery while a session with the id is open is an error", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann)
			f.allow(ann, "*")
			f.expectLook(from)
			_, err := f.Recover(ctx, s1, from, "token of ann", notReplayed(t))
			assertCode(t, domain.CodeUnavailable, err)
			assert.Equal(t, 1, f.SessionCount())
		})
	})
}

func TestChat_Recover_fails_half_way(t *testing.T) {
	from := absence(ann, place(other, 3), place(talk, 7), place(third, 5))

	t.Run("a failure in the first conversation is an error that leaves nothing, and the next try recovers", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.allow(ann, "*")
			f.expectLook(from)
			f.rooms.EXPECT().Join(ctx, other.Room(), s1, ann).Return(false, errStore)
			f.rooms.EXPECT().Drop(live{}, other.Room(), s1, ann, time.Now().Add(grace)).Return(false, nil)
			_, err := f.Recover(ctx, s1, from, "token of ann", notReplayed(t))
			assertCode(t, domain.CodeUnavailable, err)
			assert.Zero(t, f.SessionCount())

			f.allow(ann, "*")
			f.expectLook(from)
			f.expectBack(from)
			f.recovers(from)
		})
	})
	t.Run("after a failure in a later conversation the session does not recover, and nothing is left", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.allow(ann, "*")
			f.expectLook(from)
			f.expectBack(absence(ann, place(other, 3)))
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(true, nil)
			f.log.EXPECT().Head(ctx, talk).Return(domain.Position{}, errStore)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(true, nil)
			f.expectDrop(other, s1, ann, false)
			replays := 0
			recovered, err := f.Recover(ctx, s1, from, "token of ann", func([]domain.Event) { replays++ })
			require.NoError(t, err)
			assert.False(t, recovered)
			assert.Equal(t, 1, replays)
			assert.Zero(t, f.SessionCount())
			assert.Contains(t, f.logged.String(), "a recovery failed half-way")
		})
	})
	t.Run("a session does not recover if messages are trimmed between the check and the join", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.allow(ann, "*")
			f.expectLook(from)
			f.expectBack(absence(ann, place(other, 3)))
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(false, nil)
			f.log.EXPECT().Head(ctx, talk).Return(at(99), nil)
			f.log.EXPECT().After(ctx, talk, at(7)).Return(nil, ports.GapTrimmed, nil)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil)
			f.expectDrop(other, s1, ann, false)
			f.expectDrop(talk, s1, ann, false)
			recovered, err := f.Recover(ctx, s1, from, "token of ann", func([]domain.Event) {})
			require.NoError(t, err)
			assert.False(t, recovered)
			assert.Zero(t, f.SessionCount())
			assert.Empty(t, f.logged.String())
		})
	})
}

func TestChat_Recover_presence(t *testing.T) {
	drop := func(w *world) domain.Absence {
		w.enter(s2, bob, talk)
		w.enter(s1, ann, talk)
		w.recorder.take(s1)
		w.recorder.take(s2)
		return w.Disconnect(ctx, s1, ports.Dropped)
	}
	t.Run("a drop and recovery in the grace time is told to nobody, then or later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			from := drop(w)
			time.Sleep(grace - 1)
			require.True(t, w.recovers(s1, from))
			time.Sleep(2 * grace)
			synctest.Wait()
			assert.Empty(t, w.recorder.take(s2))
			assert.Equal(t, []domain.UserID{ann, bob}, w.members(talk))
		})
	})
	t.Run("a recovery after the grace time is told to the others as a departure and an arrival", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			from := drop(w)
			gone := time.Now().Add(grace)
			time.Sleep(2 * grace)
			require.True(t, w.recovers(s1, from))
			assert.Equal(t, []domain.Event{
				domain.UserLeft{Conversation: talk, User: ann, At: gone},
				domain.UserJoined{Conversation: talk, User: ann, At: time.Now()},
			}, w.recorder.take(s2))
			assert.Empty(t, w.recorder.take(s1))
		})
	})
	t.Run("a refused recovery changes nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			from := drop(w)
			gone := time.Now().Add(grace)
			recovered, err := w.Recover(ctx, s1, from, "eve", notReplayed(t))
			require.NoError(t, err)
			assert.False(t, recovered)
			time.Sleep(grace)
			synctest.Wait()
			assert.Equal(t, []domain.Event{domain.UserLeft{Conversation: talk, User: ann, At: gone}}, w.recorder.take(s2))
			assert.Equal(t, []domain.UserID{bob}, w.members(talk))
		})
	})
}
