package application_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

func TestChat_Presence(t *testing.T) {
	t.Run("a session in the conversation is told who is there", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return([]domain.UserID{ann, bob}, nil)
			members, err := f.Presence(ctx, s1, talk)
			require.NoError(t, err)
			assert.Equal(t, []domain.UserID{ann, bob}, members)
		})
	})
	t.Run("a session outside the conversation or without a grant is refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			for _, test := range []struct {
				session domain.SessionID
				in      domain.ConversationID
				code    domain.Code
			}{
				{s1, other, domain.CodeForbidden},
				{s1, talk, domain.CodeNotInConversation},
				{"nobody", talk, domain.CodeUnavailable},
			} {
				members, err := f.Presence(ctx, test.session, test.in)
				assertCode(t, test.code, err)
				assert.Nil(t, members)
			}
		})
	})
	t.Run("the failure of a store is returned", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, errStore)
			_, err := f.Presence(ctx, s1, talk)
			assertCode(t, domain.CodeUnavailable, err)
		})
	})
}
