package application

import (
	"context"
	"time"

	"parley/domain"
)

// Typing tells the other sessions of the room. It takes the conversation's lock like every event:
// nothing may be told to a session whose Join has not admitted it yet.
func (c *Chat) Typing(ctx context.Context, id domain.SessionID, conversation domain.ConversationID, isTyping bool) error {
	lock := c.locks.of(conversation)
	lock.Lock()
	defer lock.Unlock()

	// Under the lock: nobody types who has left.
	user, err := c.participant(id, conversation)
	if err != nil {
		return err
	}
	if c.draining.Load() {
		// Without timers nothing can be told later, so a flood could not be told together.
		return nil
	}
	return c.hearTyping(ctx, typist{conversation, user}, id, isTyping)
}

// ShowTyping tells the conversation's sessions that a user is typing who may have no session.
func (c *Chat) ShowTyping(ctx context.Context, conversation domain.ConversationID, user domain.UserID, isTyping bool) error {
	lock := c.locks.of(conversation)
	lock.Lock()
	defer lock.Unlock()

	if err := c.accepting(); err != nil {
		return err
	}
	return c.hearTyping(ctx, typist{conversation, user}, "", isTyping)
}

// hearTyping tells what is to be told now, and sees to the rest. The caller holds the conversation's lock.
func (c *Chat) hearTyping(ctx context.Context, who typist, from domain.SessionID, isTyping bool) error {
	now := time.Now()
	c.typists.hear(who, from, isTyping, now)
	return c.tellTyping(ctx, who, now)
}

// tellTyping tells the others what they are to know by now. The caller holds the conversation's lock.
func (c *Chat) tellTyping(ctx context.Context, who typist, now time.Time) error {
	isTyping, except, tell := c.typists.tell(who, now, func() { c.typingLater(who) })
	if !tell {
		return nil
	}
	to, err := c.rooms.Sessions(ctx, who.conversation.Room())
	if err != nil {
		return err
	}
	c.out.Broadcast(to, except, domain.TypingChanged{Conversation: who.conversation, User: who.user, IsTyping: isTyping, At: now})
	return nil
}

// typingLater tells what had to wait, or that the user has said nothing for a while.
func (c *Chat) typingLater(who typist) {
	ctx, cancel := cleanup(context.Background())
	defer cancel()
	err := c.underLock(who.conversation, func(domain.ConversationID) error {
		return c.tellTyping(ctx, who, time.Now())
	})
	if err != nil {
		c.logger.Warn("typing was not told", "conversation", who.conversation, "error", err)
	}
}

// spoke ends the typing of a user who has sent a message: the others need not wait until it goes stale.
// The caller holds the conversation's lock.
func (c *Chat) spoke(to []domain.SessionID, who typist) {
	now := time.Now()
	if except, tell := c.typists.stop(who, now); tell {
		c.out.Broadcast(to, except, domain.TypingChanged{Conversation: who.conversation, User: who.user, At: now})
		c.typists.tell(who, now, func() { c.typingLater(who) }) // nothing, but when it may be forgotten
	}
}
