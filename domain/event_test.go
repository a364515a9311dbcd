package domain_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/domain"
)

func TestEvent_Ephemeral(t *testing.T) {
	assert.False(t, domain.MessageSent{}.Ephemeral(), "an accepted message must arrive")
	for _, e := range []domain.Event{domain.UserJoined{}, domain.UserLeft{}, domain.TypingChanged{}} {
		assert.True(t, e.Ephemeral(), "%T", e)
	}
}
