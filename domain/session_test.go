package domain_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

func TestSession(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := func() *domain.Session {
		s := domain.NewSession("s1", domain.Identity{User: "ann"}, now)
		return &s
	}

	t.Run("a new session is nowhere and was heard when it connected", func(t *testing.T) {
		s := open()
		assert.Empty(t, s.Conversations())
		assert.Equal(t, now, s.ConnectedAt())
		assert.Equal(t, now, s.LastActivity())
		err := s.Within("c1")
		require.Error(t, err)
		assert.Equal(t, domain.CodeNotInConversation, domain.AsError(err).Code)
	})
	t.Run("Touch moves the last activity only", func(t *testing.T) {
		s := open()
		s.Touch(now.Add(time.Minute))
		assert.Equal(t, now, s.ConnectedAt())
		assert.Equal(t, now.Add(time.Minute), s.LastActivity())
	})
	t.Run("Enter says whether it was not there before, Exit whether it was", func(t *testing.T) {
		s := open()
		for _, c := range []domain.ConversationID{"b", "a", "c"} {
			entered, err := s.Enter(c)
			require.NoError(t, err)
			assert.True(t, entered)
			assert.NoError(t, s.Within(c))
		}
		entered, err := s.Enter("a")
		require.NoError(t, err)
		assert.False(t, entered)
		assert.Equal(t, []domain.ConversationID{"a", "b", "c"}, s.Conversations())

		assert.True(t, s.Exit("b"))
		assert.False(t, s.Exit("b"))
		assert.Error(t, s.Within("b"))
		assert.Equal(t, []domain.ConversationID{"a", "c"}, s.Conversations())
	})
	t.Run("one conversation too many is refused; one it is in already is not", func(t *testing.T) {
		s := open()
		for i := range domain.MaxConversations {
			_, err := s.Enter(domain.ConversationID(fmt.Sprint("c", i)))
			require.NoError(t, err)
		}
		_, err := s.Enter("one-more")
		require.Error(t, err)
		assert.Equal(t, domain.CodeLimitExceeded, domain.AsError(err).Code)
		assert.Error(t, s.Within("one-more"))
		_, err = s.Enter("c7")
		assert.NoError(t, err)
		s.Exit("c7")
		_, err = s.Enter("one-more")
		assert.NoError(t, err)
	})
	t.Run("the list of conversations is a copy", func(t *testing.T) {
		s := open()
		_, err := s.Enter("a")
		require.NoError(t, err)
		s.Conversations()[0] = "spoilt"
		assert.NoError(t, s.Within("a"))
	})
}
