package application

import (
	"context"
	"time"

	"parley/domain"
	"parley/ports"
)

// Join puts the session into the conversation. All of it happens under the conversation's lock: no
// message is accepted between the replay and the first live event, and a Disconnect that races
// finds the session either in the room or refused.
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

// enterRoom adds the session to the room and reads what the joiner is told and, if the user arrived
// by it, which sessions must hear of that. It tells nobody anything: after it nothing can fail.
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

// undoJoin takes the session out of the room after a failure, also when the store's Join failed: a
// remote one may have done it all the same. A user who arrived by this join was told to nobody and
// goes without a word. Any other was there before, by another session or in the grace time, and the
// others know of it: so the session counts as dropped, and the grace time starts again.
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
