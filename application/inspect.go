package application

import (
	"context"
	"slices"

	"parley/domain"
	"parley/ports"
)

// Conversations lists the conversations that have members.
func (c *Chat) Conversations(ctx context.Context, after domain.ConversationID, limit int) ([]ports.Conversation, error) {
	var found []ports.Conversation
	// A room that has emptied since it was listed is left out, so the page is filled up from the next rooms: a page
	// shorter than limit tells the caller that there are no more.
	for last := after.Room(); len(found) < limit; {
		rooms, err := c.rooms.Rooms(ctx, last, limit-len(found))
		if err != nil || len(rooms) == 0 {
			return found, err
		}
		for _, room := range rooms {
			id, ok := room.Conversation()
			if !ok {
				continue
			}
			one, err := c.describe(ctx, id)
			if err != nil {
				return nil, err
			}
			if one.Members > 0 {
				found = append(found, one)
			}
		}
		last = rooms[len(rooms)-1]
	}
	return found, nil
}

// describe counts who is in the conversation.
func (c *Chat) describe(ctx context.Context, id domain.ConversationID) (ports.Conversation, error) {
	members, err := c.rooms.Members(ctx, id.Room())
	if err != nil {
		return ports.Conversation{}, err
	}
	sessions, err := c.rooms.Sessions(ctx, id.Room())
	if err != nil {
		return ports.Conversation{}, err
	}
	return ports.Conversation{ID: id, Members: len(members), Sessions: len(sessions)}, nil
}

// Members lists who is present.
func (c *Chat) Members(ctx context.Context, conversation domain.ConversationID) ([]domain.UserID, error) {
	return c.rooms.Members(ctx, conversation.Room())
}

// OpenSessions lists the open sessions, of one user or of all.
func (c *Chat) OpenSessions(
	_ context.Context, user domain.UserID, after domain.SessionID, limit int,
) ([]ports.Session, error) {
	var ids []domain.SessionID
	if user != "" {
		ids = c.sessions.of(user)
	} else {
		ids = c.sessions.all()
	}
	ids = slices.DeleteFunc(ids, func(id domain.SessionID) bool { return id <= after })
	slices.Sort(ids)
	var found []ports.Session
	for _, id := range ids {
		if len(found) >= limit {
			break
		}
		if s, err := c.sessions.get(id); err == nil {
			found = append(found, s.describe())
		}
	}
	return found, nil
}

// EndSession ends one session.
func (c *Chat) EndSession(_ context.Context, id domain.SessionID) error {
	if _, err := c.sessions.get(id); err != nil {
		return domain.Errorf(domain.CodeNotFound, "the session is not open")
	}
	c.ends.Disconnect(id)
	return nil
}

// EndSessions ends all sessions of a user.
func (c *Chat) EndSessions(_ context.Context, user domain.UserID) (int, error) {
	ids := c.sessions.of(user)
	c.ends.Disconnect(ids...)
	return len(ids), nil
}
