package application

import (
	"context"

	"parley/domain"
)

// Presence returns the members of the conversation to a session that is in it.
func (c *Chat) Presence(ctx context.Context, id domain.SessionID, conversation domain.ConversationID) ([]domain.UserID, error) {
	if _, err := c.participant(id, conversation); err != nil {
		return nil, err
	}
	return c.rooms.Members(ctx, conversation.Room())
}
