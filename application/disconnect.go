package application

import (
	"context"
	"errors"
	"time"

	"parley/domain"
	"parley/ports"
)

// Disconnect closes the session and takes it out of its conversations, even if ctx is cancelled: the client has
// gone, and nothing of it may stay behind. The id stays taken until Disconnect returns, so that a client who comes
// back under the same id is not taken out of the rooms that it has just joined again.
func (c *Chat) Disconnect(ctx context.Context, id domain.SessionID, how ports.Departure) domain.Absence {
	s, err := c.sessions.get(id)
	if err != nil {
		return domain.Absence{}
	}
	user, conversations, first := s.end()
	if !first {
		return domain.Absence{}
	}
	defer c.sessions.remove(id, user)
	tell := c.timers.begin()
	if tell {
		defer c.timers.done()
	}
	ctx, cancel := cleanup(ctx)
	defer cancel()
	if how == ports.Left {
		c.leaveAll(ctx, s, user, conversations, tell)
		return domain.Absence{}
	}
	return c.dropAll(ctx, s, user, conversations, tell)
}

// leaveAll takes the session out of its conversations for good.
func (c *Chat) leaveAll(
	ctx context.Context, s *session, user domain.UserID, conversations []domain.ConversationID, tell bool,
) {
	id := s.state.ID
	c.inEach(conversations, "a session did not leave its room", user, func(conversation domain.ConversationID) error {
		s.exit(conversation)
		departed, err := c.leaveRoom(ctx, id, user, conversation, tell)
		if departed {
			c.awaitNoMore(conversation, user)
		}
		if err != nil {
			c.strays.add(conversation, id, user)
		}
		return err
	})
}

// leaveRoom takes the session out of the conversation for good. The caller holds the conversation's lock.
func (c *Chat) leaveRoom(
	ctx context.Context, id domain.SessionID, user domain.UserID, conversation domain.ConversationID, tell bool,
) (departed bool, err error) {
	departed, err = c.rooms.Leave(ctx, conversation.Room(), id, user)
	if err != nil || !departed || !tell {
		return departed, err
	}
	return departed, c.tellLeft(ctx, conversation, user)
}

// dropAll takes the session out of its conversations, where its user stays a member for the grace time, and returns
// where it was; the zero value if that is not known for all conversations.
func (c *Chat) dropAll(
	ctx context.Context, s *session, user domain.UserID, conversations []domain.ConversationID, tell bool,
) domain.Absence {
	id := s.state.ID
	until := time.Now().Add(c.cfg.PresenceGrace)
	c.unheard.noteDrop(user, time.Now())
	absence := domain.Absence{User: user}
	var waiting []domain.ConversationID
	known := true
	c.inEach(conversations, "a session did not leave its room", user, func(conversation domain.ConversationID) error {
		if !s.exit(conversation) {
			return nil // a concurrent Leave, or a Join that failed, has taken it out
		}
		// The place is read under the same lock under which the session leaves the room: everything accepted before
		// was sent to the session, and nothing after it.
		at, headErr := c.log.Head(ctx, conversation)
		dropped, dropErr := c.dropRoom(ctx, id, user, conversation, until, tell)
		if dropped {
			waiting = append(waiting, conversation)
		}
		if dropErr != nil {
			c.strays.add(conversation, id, user)
		}
		if err := errors.Join(headErr, dropErr); err != nil {
			known = false
			return err
		}
		absence.Places = append(absence.Places, domain.Place{Conversation: conversation, At: at, Mark: c.unheard.mark()})
		return nil
	})
	if len(waiting) > 0 {
		c.expireLater(user, waiting, until)
	}
	if !known {
		return domain.Absence{}
	}
	return absence
}

// dropRoom takes the session out of the conversation until it comes back; dropped says that the caller must end the
// wait at the time until. The caller holds the conversation's lock.
func (c *Chat) dropRoom(
	ctx context.Context, id domain.SessionID, user domain.UserID, conversation domain.ConversationID, until time.Time, tell bool,
) (dropped bool, err error) {
	if c.cfg.PresenceGrace <= 0 {
		_, err := c.leaveRoom(ctx, id, user, conversation, tell)
		return false, err
	}
	return c.rooms.Drop(ctx, conversation.Room(), id, user, until)
}

// expireLater ends the wait for the user in the conversations at the time until. If the user dropped again since, the
// wait ends later and this call changes nothing: the store compares the times.
func (c *Chat) expireLater(user domain.UserID, conversations []domain.ConversationID, until time.Time) {
	c.timers.after(time.Until(until), func() {
		ctx, cancel := cleanup(context.Background())
		defer cancel()
		c.inEach(conversations, "a user's grace time did not end", user, func(conversation domain.ConversationID) error {
			departed, err := c.rooms.Expire(ctx, conversation.Room(), user, until)
			if err != nil || !departed {
				return err
			}
			return c.tellLeft(ctx, conversation, user)
		})
	})
}
