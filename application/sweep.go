package application

import (
	"context"
	"sync"
	"time"

	"parley/domain"
)

const (
	// sweepPage is how many rooms are asked for at a time.
	sweepPage = 1000
	// sweepMargin is how late the timers may be that should have done it.
	sweepMargin = time.Minute
	// maxStrays bounds the sessions that are remembered because a store failed to remove them.
	maxStrays = 100_000
)

// Sweep looks through all rooms for what should not be there, and removes it: sessions that have ended,
// and users whose time to come back is over. Every disconnect cleans up by itself, so there is nothing
// unless a store failed when it was asked to. It returns how many sessions and users it removed, and how
// many sessions it found that it knows nothing of: that is a fault.
func (c *Chat) Sweep(ctx context.Context, now time.Time) (removed, unknown int) {
	if !c.timers.begin() {
		return 0, 0
	}
	defer c.timers.done()
	var after domain.RoomID
	for {
		rooms, err := c.rooms.Rooms(ctx, after, sweepPage)
		if err != nil {
			c.logger.Warn("the sweep was broken off", "error", err)
			break
		}
		for _, room := range rooms {
			r, u := c.sweep(ctx, room, now)
			removed, unknown = removed+r, unknown+u
		}
		if len(rooms) < sweepPage {
			break
		}
		after = rooms[len(rooms)-1]
	}
	if removed > 0 || unknown > 0 {
		c.logger.Warn("the sweep found what should have been cleaned up", "removed", removed, "unknown", unknown)
	}
	return removed, unknown
}

// sweep cleans up one room.
func (c *Chat) sweep(ctx context.Context, room domain.RoomID, now time.Time) (removed, unknown int) {
	conversation, ok := room.Conversation()
	if !ok {
		return 0, 0
	}
	err := c.underLock(conversation, func(domain.ConversationID) error {
		sessions, err := c.rooms.Sessions(ctx, room)
		if err != nil {
			return err
		}
		for _, s := range c.sessions.unknown(sessions) {
			user, found := c.strays.take(conversation, s)
			if !found {
				unknown++
				continue
			}
			if _, err := c.leaveRoom(ctx, s, user, conversation, true); err != nil {
				c.strays.add(conversation, s, user)
				return err
			}
			removed++
		}
		members, err := c.rooms.Members(ctx, room)
		for _, user := range members {
			departed, expireErr := c.rooms.Expire(ctx, room, user, now.Add(-sweepMargin))
			if expireErr == nil && departed {
				removed++
				expireErr = c.tellLeft(ctx, conversation, user)
			}
			if expireErr != nil {
				return expireErr
			}
		}
		return err
	})
	if err != nil {
		c.logger.Warn("a room was not swept", "conversation", conversation, "error", err)
	}
	return removed, unknown
}

// strays are sessions that have ended and that a store failed to remove from a room.
type strays struct {
	mu    sync.Mutex
	users map[stray]domain.UserID
}

type stray struct {
	conversation domain.ConversationID
	session      domain.SessionID
}

func newStrays() *strays { return &strays{users: map[stray]domain.UserID{}} }

func (s *strays) add(c domain.ConversationID, id domain.SessionID, user domain.UserID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.users) < maxStrays {
		s.users[stray{c, id}] = user
	}
}

func (s *strays) take(c domain.ConversationID, id domain.SessionID) (user domain.UserID, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user, found = s.users[stray{c, id}]
	delete(s.users, stray{c, id})
	return user, found
}
