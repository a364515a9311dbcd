package application

import (
	"context"
	"time"

	"parley/domain"
)

// Leave takes the session out of the conversation. It reads first whom to tell, so that a failure leaves everything as
// it was.
func (c *Chat) Leave(ctx context.Context, id domain.SessionID, conversation domain.ConversationID) error {
	s, err := c.sessions.get(id)
	if err != nil {
		return err
	}
	lock := c.locks.of(conversation)
	lock.Lock()
	defer lock.Unlock()

	user, err := s.within(conversation)
	if err != nil {
		return err
	}
	to, err := c.rooms.Sessions(ctx, conversation.Room())
	if err != nil {
		return err
	}
	departed, err := c.rooms.Leave(ctx, conversation.Room(), id, user)
	if err != nil {
		return err
	}
	s.exit(conversation)
	if departed {
		c.typists.forget(conversation, user)
		c.awaitNoMore(conversation, user)
		c.out.Broadcast(to, id, domain.UserLeft{Conversation: conversation, User: user, At: time.Now()})
	}
	return nil
}
