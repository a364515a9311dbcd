package application

import (
	"context"
	"time"

	"parley/domain"
)

// maxTries is how often a message is sent to a connected user who does not confirm it.
const maxTries = 3

// pauses are the waits after each try; the last one is repeated after further tries.
var pauses = [maxTries]time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second}

// patience is the sum of the pauses: how long a connected user is waited for.
var patience = pauses[0] + pauses[1] + pauses[2]

// awaitable returns the members who would be asked to confirm the message, sorted; the sender may be among them. It
// returns a CodeLimitExceeded error if their delivery cannot be tracked.
func (c *Chat) awaitable(ctx context.Context, d domain.Draft) ([]domain.UserID, error) {
	members, err := c.rooms.Members(ctx, d.Conversation.Room())
	if err != nil {
		return nil, err
	}
	return members, c.deliveries.check(d, len(members))
}

// retry sends the message again to the users who are waited for, or ends the delivery. It takes the conversation's
// lock, because the message must not overtake the Join of a session that has come back.
func (c *Chat) retry(conversation domain.ConversationID, id domain.DeliveryID) {
	now := time.Now()
	tooLate := func(one *delivery) bool { return now.Sub(one.Message.At) >= max(c.cfg.ConfirmWindow, patience) }
	sessionsOf := func(u domain.UserID, seq uint64) []domain.SessionID { return c.sessions.getting(u, conversation, seq) }
	_ = c.underLock(conversation, func() error {
		to, one, over := c.deliveries.nextTry(id, tooLate, sessionsOf)
		if over {
			c.report(one)
		} else if len(to) > 0 {
			c.out.Broadcast(to, "", domain.MessageSent{Message: one.Message, Delivery: id})
		}
		return nil
	})
}

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
		c.reportLater(over.Message.Conversation, over)
	}
}

// Acknowledge notes that the session's user has got everything up to seq.
func (c *Chat) Acknowledge(_ context.Context, id domain.SessionID, conversation domain.ConversationID, seq uint64) error {
	user, err := c.participant(id, conversation)
	if err != nil {
		return err
	}
	c.reportLater(conversation, c.deliveries.settle(conversation, func(one *delivery) {
		if one.Message.Seq <= seq {
			one.Confirm(user)
		}
	})...)
	return nil
}

// awaitNoMore stops waiting for the confirmations of a user who has left. The caller holds the conversation's lock.
func (c *Chat) awaitNoMore(conversation domain.ConversationID, user domain.UserID) {
	c.report(c.deliveries.settle(conversation, func(one *delivery) { one.GiveUp(user) })...)
}

// reportLater takes the conversation's lock and reports. A confirmation may come while its message is still being
// enqueued under that lock, and the sender must get the message before the report. Without deliveries to report it
// does not wait for the lock.
func (c *Chat) reportLater(conversation domain.ConversationID, over ...*delivery) {
	if len(over) == 0 {
		return
	}
	_ = c.underLock(conversation, func() error {
		c.report(over...)
		return nil
	})
}

// report tells senders how their deliveries ended, on all their sessions, in the conversation or not. If no session
// of a sender is sure to get the report, it is kept for ConfirmWindow and told when the sender joins the conversation
// again. The caller holds the conversation's lock.
func (c *Chat) report(over ...*delivery) {
	now := time.Now()
	for _, one := range over {
		user, conversation := one.Message.User, one.Message.Conversation
		report := one.Report(now)
		to, heard := c.sessions.hearing(user, c.cfg.Access, conversation)
		if len(to) > 0 {
			c.out.Broadcast(to, "", report)
		}
		if c.unheard.mayReturn(user) {
			c.keepForDropped(conversation, user, report)
		}
		if !heard {
			c.reports.keep(user, report, to, c.cfg.ConfirmWindow)
		}
	}
}

// reportAll ends all deliveries that are under way and reports how far they have come.
func (c *Chat) reportAll() {
	for _, conversation := range c.deliveries.conversations() {
		_ = c.underLock(conversation, func() error {
			c.report(c.deliveries.settle(conversation, func(one *delivery) {
				for _, u := range one.Awaited() {
					one.GiveUp(u)
				}
			})...)
			return nil
		})
	}
}
