package application

import (
	"context"
	"time"

	"parley/domain"
)

// Typing tells the other sessions of the room. It takes the conversation's lock like every event:
// nothing may be told to a session whose Join has not admitted it yet.
func (c *Chat) Typing(ctx context.Context, id domain.SessionID, conversation domain.ConversationID, isTyping bool) error {
	user, err := c.participant(id, conversation)
	if err != nil {
		return err
	}
	lock := c.locks.of(conversation)
	lock.Lock()
	defer lock.Unlock()

	to, err := c.rooms.Sessions(ctx, conversation.Room())
	if err != nil {
		return err
	}
	c.out.Broadcast(to, id, domain.TypingChanged{Conversation: conversation, User: user, IsTyping: isTyping, At: time.Now()})
	return nil
}
