package domain_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/domain"
)

func TestEvent_Ephemeral(t *testing.T) {
	for _, e := range []domain.Event{
		domain.MessageSent{},
		domain.MessageDelivered{},
		domain.ConversationUpdated{},
		domain.Announced{},
		domain.ChunkAppended{Aborted: true},
		domain.SessionEnded{},
		domain.TokenExpiring{},
	} {
		assert.False(t, e.Ephemeral(), "%T must arrive", e)
	}
	for _, e := range []domain.Event{
		domain.UserJoined{}, domain.UserLeft{}, domain.TypingChanged{}, domain.ChunkAppended{},
	} {
		assert.True(t, e.Ephemeral(), "%T", e)
	}
}
