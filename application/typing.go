package application

import (
	"context"
	"time"

	"parley/domain"
)

// Typing tells the other sessions of the room that the user started or stopped typing. Like every event it needs the
// conversation's lock: nothing may be sent to a session whose Join has not admitted it yet.
func (c *Chat) Typing(ctx context.Context, id domain.SessionID, conversation domain.ConversationID, isTyping bool) error {
	lock := c.locks.of(conversation)
	lock.Lock()
	defer lock.Unlock()

	// Checked under the lock, so that a user who has left is not shown typing.
	user, err := c.participant(id, conversation)
	if err != nil {
		return err
	}
	if c.draining.Load() {
		// After Close there are no timers, so quick changes could not be merged.
		return nil
	}
	return c.hearTyping(ctx, typist{conversation, user}, id, isTyping)
}

// ShowTyping tells the conversation's sessions that a user, who may have no session, started or stopped typing.
func (c *Chat) ShowTyping(ctx context.Context, conversation domain.ConversationID, user domain.UserID, isTyping bool) error {
	lock := c.locks.of(conversation)
	lock.Lock()
	defer lock.Unlock()

	if err := c.accepting(); err != nil {
		return err
	}
	return c.hearTyping(ctx, typist{conversation, user}, "", isTyping)
}

// hearTyping notes what the user said, and tells the others what they are to know now; the rest follows by timer. The
// caller holds the conversation's lock.
func (c *Chat) hearTyping(ctx context.Context, who typist, from domain.SessionID, isTyping bool) error {
	now := time.Now()
	c.typists.hear(who, from, isTyping, now)
	return c.tellTyping(ctx, who, now)
}

// tellTyping tells the others what they are to know at the time now. The caller holds the conversation's lock.
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

// typingLater is what the timers call: it tells what had to wait, or that the user has stopped without saying so.
func (c *Chat) typingLater(who typist) {
	ctx, cancel := cleanup(context.Background())
	defer cancel()
	err := c.underLock(who.conversation, func() error {
		return c.tellTyping(ctx, who, time.Now())
	})
	if err != nil {
		c.logger.Warn("typing was not told", "conversation", who.conversation, "error", err)
	}
}

// endTyping ends the typing of a user who has sent a message, so that the others need not wait until it goes stale. The
// caller holds the conversation's lock.
func (c *Chat) endTyping(to []domain.SessionID, who typist) {
	now := time.Now()
	if except, tell := c.typists.stop(who, now); tell {
		c.out.Broadcast(to, except, domain.TypingChanged{Conversation: who.conversation, User: who.user, At: now})
		c.typists.tell(who, now, func() { c.typingLater(who) }) // there is nothing to tell: this sets the timer
	}
}
