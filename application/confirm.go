package application

import (
	"context"
	"time"

	"parley/domain"
)

// maxTries is how often a message is sent to a session that does not confirm it.
const maxTries = 3

// pauses are those after each try; the last one is that of all further ones, too.
var pauses = [maxTries]time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second}

// awaitable returns the members who would have to confirm the message, and whom the sender is among.
func (c *Chat) awaitable(ctx context.Context, d domain.Draft) ([]domain.UserID, error) {
	members, err := c.rooms.Members(ctx, d.Conversation.Room())
	if err != nil {
		return nil, err
	}
	return members, c.deliveries.check(d.Conversation, len(members))
}

// awaitConfirmation begins to wait for the members. The caller holds the conversation's lock.
func (c *Chat) awaitConfirmation(m domain.Message, members []domain.UserID) domain.DeliveryID {
	one := c.deliveries.open(m, members)
	wait := pauses[0]
	if one.Expected() == 0 {
		wait = 0
	}
	c.retryAfter(wait, one.ID, m)
	return one.ID
}

func (c *Chat) retryAfter(wait time.Duration, id domain.DeliveryID, m domain.Message) {
	c.timers.after(wait, func() { c.retry(id, m) })
}

// retry sends the message again to those who are waited for, and looks again later. It takes the
// conversation's lock: the message must not overtake the Join of a session that has come back.
func (c *Chat) retry(id domain.DeliveryID, m domain.Message) {
	now := time.Now()
	_ = c.underLock(m.Conversation, func(conversation domain.ConversationID) error {
		to, one, over := c.deliveries.overdue(id, now.Sub(m.At) >= max(c.cfg.ConfirmWindow, patience), func(u domain.UserID) []domain.SessionID {
			return c.sessions.within(u, conversation)
		})
		switch {
		case over:
			c.report(one, now)
		case one != nil:
			if len(to) > 0 {
				c.out.Broadcast(to, "", domain.MessageSent{Message: m, Delivery: id})
			}
			c.retryAfter(pauses[min(one.tries, maxTries)-1], id, m)
		}
		return nil
	})
}

// patience is the time of all tries.
var patience = pauses[0] + pauses[1] + pauses[2]

// Confirm notes that the session's user has got the message.
func (c *Chat) Confirm(_ context.Context, id domain.SessionID, d domain.DeliveryID) {
	s, err := c.sessions.get(id)
	if err != nil {
		return
	}
	user, err := s.heard()
	if err != nil {
		return
	}
	if over := c.deliveries.confirm(d, user); over != nil {
		c.report(over, time.Now())
	}
}

// Acknowledge notes that the session's user has got everything up to seq.
func (c *Chat) Acknowledge(_ context.Context, id domain.SessionID, conversation domain.ConversationID, seq uint64) error {
	user, err := c.participant(id, conversation)
	if err != nil {
		return err
	}
	c.settle(conversation, func(one *delivery) {
		if one.Message.Seq <= seq {
			one.Confirm(user)
		}
	})
	return nil
}

// awaitNoMore gives up a user who has left. The caller holds the conversation's lock.
func (c *Chat) awaitNoMore(conversation domain.ConversationID, user domain.UserID) {
	c.settle(conversation, func(one *delivery) { one.GiveUp(user) })
}

func (c *Chat) settle(conversation domain.ConversationID, f func(*delivery)) {
	for _, over := range c.deliveries.each(conversation, f) {
		c.report(over, time.Now())
	}
}

// report tells the sender's sessions how a delivery ended, wherever they are.
func (c *Chat) report(one *delivery, now time.Time) {
	if to := c.sessions.of(one.Message.User); len(to) > 0 {
		c.out.Broadcast(to, "", one.Report(now))
	}
}
