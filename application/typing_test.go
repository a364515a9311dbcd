package application_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/domain"
)

func TestChat_Typing(t *testing.T) {
	for _, isTyping := range []bool{true, false} {
		t.Run("every session but the typing one is told", func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.enter(s1, ann, talk)
				f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return([]domain.SessionID{s1, s2}, nil)
				f.out.EXPECT().Broadcast([]domain.SessionID{s1, s2}, s1,
					domain.TypingChanged{Conversation: talk, User: ann, IsTyping: isTyping, At: time.Now()})
				require.NoError(t, f.Typing(ctx, s1, talk, isTyping))
			})
		})
	}
	t.Run("who may not take part, is not there or not connected is refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			assertCode(t, domain.CodeForbidden, f.Typing(ctx, s1, other, true))
			assertCode(t, domain.CodeNotInConversation, f.Typing(ctx, s1, talk, true))
			assertCode(t, domain.CodeUnavailable, f.Typing(ctx, "nobody", talk, true))
		})
	})
	t.Run("a store that fails is said", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(nil, errStore)
			assertCode(t, domain.CodeUnavailable, f.Typing(ctx, s1, talk, true))
		})
	})
}
