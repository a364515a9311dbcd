package application

import (
	"context"
	"time"

	"parley/domain"
	"parley/ports"
)

// Join puts the session into the conversation. All of it happens under the conversation's lock, so that no message is
// accepted between the replay and the first live event. A concurrent Disconnect either comes first, and Join is
// refused, or finds the session in the conversation and takes it out.
func (c *Chat) Join(ctx context.Context, id domain.SessionID, join ports.Join, admit func(ports.Joined)) error {
	s, err := c.sessions.get(id)
	if err != nil {
		return err
	}
	lock := c.locks.of(join.Conversation)
	lock.Lock()
	defer lock.Unlock()

	user, entered, err := s.enter(c.cfg.Access, join.Conversation)
	if err != nil {
		return err
	}
	joined, others, arrived, err := c.enterRoom(ctx, id, user, join)
	if err != nil {
		if entered {
			s.exit(join.Conversation)
			c.undoJoin(ctx, id, user, join.Conversation, arrived)
		}
		return err
	}
	if arrived {
		c.out.Broadcast(others, id, domain.UserJoined{Conversation: join.Conversation, User: user, At: time.Now()})
	}
	from := joined.At.Seq
	if joined.Recovered {
		from = join.After.Seq
	}
	s.follow(join.Conversation, from)
	joined.Written = c.streams.written(join.Conversation)
	joined.Reports = c.reports.take(user, join.Conversation, id)
	admit(joined)
	return nil
}

// enterRoom adds the session to the room and reads what to tell the joiner. If this made the user a member, others are
// the sessions to tell of it. It sends nothing itself, and what Join does after it cannot fail.
func (c *Chat) enterRoom(ctx context.Context, id domain.SessionID, user domain.UserID, join ports.Join) (
	joined ports.Joined, others []domain.SessionID, arrived bool, err error,
) {
	room := join.Conversation.Room()
	if arrived, err = c.rooms.Join(ctx, room, id, user); err != nil {
		return joined, nil, false, err
	}
	joined.Conversation = join.Conversation
	if joined.At, err = c.log.Head(ctx, join.Conversation); err != nil {
		return joined, nil, arrived, err
	}
	if join.After != nil {
		if joined.Messages, joined.Reason, err = c.log.After(ctx, join.Conversation, *join.After); err != nil {
			return joined, nil, arrived, err
		}
		joined.Recovered = joined.Reason == ""
	}
	if joined.Members, err = c.rooms.Members(ctx, room); err != nil {
		return joined, nil, arrived, err
	}
	if arrived {
		others, err = c.rooms.Sessions(ctx, room)
	}
	return joined, others, arrived, err
}

// undoJoin takes the session out of the room after a failure, even if the store's Join failed: a remote store may have
// added the session all the same. If the user became a member by this join, nobody has been told, and the user leaves
// without an event. Any other user was a member before, by another session or in the grace time, and the others know:
// so the session counts as dropped, and the grace time starts again.
func (c *Chat) undoJoin(
	ctx context.Context, id domain.SessionID, user domain.UserID, conversation domain.ConversationID, arrived bool,
) {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	until := time.Now().Add(c.cfg.PresenceGrace)
	var dropped bool
	var err error
	if arrived {
		_, err = c.rooms.Leave(ctx, conversation.Room(), id, user)
	} else {
		dropped, err = c.rooms.Drop(ctx, conversation.Room(), id, user, until)
	}
	if err != nil {
		c.strays.add(conversation, id, user)
		c.logger.Warn("a failed join was not undone", "session", id, "user", user, "conversation", conversation, "error", err)
		return
	}
	if dropped {
		c.expireLater(user, []domain.ConversationID{conversation}, until)
	}
}
