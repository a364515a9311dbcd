package application

import (
	"context"
	"time"

	"parley/domain"
)

// Update tells the conversation's sessions what changed about the conversation.
func (c *Chat) Update(ctx context.Context, conversation domain.ConversationID, changes []byte) error {
	return c.announce(ctx, conversation, func(now time.Time) domain.Event {
		return domain.ConversationUpdated{Conversation: conversation, Changes: changes, At: now}
	})
}

// Announce sends the conversation's sessions an event that a backend has defined.
func (c *Chat) Announce(ctx context.Context, conversation domain.ConversationID, name domain.EventName, data []byte) error {
	return c.announce(ctx, conversation, func(now time.Time) domain.Event {
		return domain.Announced{Conversation: conversation, Name: name, Data: data, At: now}
	})
}

func (c *Chat) announce(ctx context.Context, conversation domain.ConversationID, event func(time.Time) domain.Event) error {
	return c.underLock(conversation, func() error {
		// Checked under the lock, so that Close returns only after every accepted call is done.
		if err := c.accepting(); err != nil {
			return err
		}
		to, err := c.rooms.Sessions(ctx, conversation.Room())
		if err != nil {
			return err
		}
		e := event(time.Now())
		c.out.Broadcast(to, "", e)
		c.keepForDropped(conversation, "", e)
		return nil
	})
}
