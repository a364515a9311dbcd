package application_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/mock/gomock"

	"parley/domain"
)

func TestChat_Leave(t *testing.T) {
	t.Run("the others are told when the user's last session leaves", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			gomock.InOrder(
				f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return([]domain.SessionID{s1, s2}, nil).Call,
				f.rooms.EXPECT().Leave(ctx, talk.Room(), s1, ann).Return(true, nil).Call,
				f.out.EXPECT().Broadcast([]domain.SessionID{s1, s2}, s1,
					domain.UserLeft{Conversation: talk, User: ann, At: time.Now()}).Call,
			)
			require.NoError(t, f.Leave(ctx, s1, talk))
			assertCode(t, domain.CodeNotInConversation, f.Leave(ctx, s1, talk))
		})
	})
	t.Run("nobody is told while the user has another session there", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return([]domain.SessionID{s1, s2}, nil)
			f.rooms.EXPECT().Leave(ctx, talk.Room(), s1, ann).Return(false, nil)
			require.NoError(t, f.Leave(ctx, s1, talk))
		})
	})
	t.Run("a conversation it is not in, and an unknown session, are refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, other)
			assertCode(t, domain.CodeNotInConversation, f.Leave(ctx, s1, talk))
			assertCode(t, domain.CodeUnavailable, f.Leave(ctx, "nobody", talk))
		})
	})
	for name, fail := range map[string]func(f *fixture){
		"Sessions": func(f *fixture) { f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(nil, errStore) },
		"Leave": func(f *fixture) {
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return([]domain.SessionID{s1}, nil)
			f.rooms.EXPECT().Leave(ctx, talk.Room(), s1, ann).Return(true, errStore)
		},
	} {
		t.Run("when "+name+" fails the session is still there, and may try again", func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.enter(s1, ann, talk)
				fail(f)
				assertCode(t, domain.CodeUnavailable, f.Leave(ctx, s1, talk))
				f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return([]domain.SessionID{s1}, nil)
				f.rooms.EXPECT().Leave(ctx, talk.Room(), s1, ann).Return(false, nil)
				require.NoError(t, f.Leave(ctx, s1, talk))
			})
		})
	}
	t.Run("the one who leaves hears nothing more", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.pair()
			w.recorder.take(s1)
			require.NoError(t, w.Leave(ctx, s1, talk))
			require.NoError(t, w.Typing(ctx, s2, talk, true))
			assert.Empty(t, w.recorder.take(s1))
			assert.Equal(t, []domain.Event{domain.UserLeft{Conversation: talk, User: ann, At: time.Now()}}, w.recorder.take(s2))
			assert.Equal(t, []domain.UserID{bob}, w.members(talk))
		})
	})
}
