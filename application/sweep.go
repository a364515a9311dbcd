package application

import (
	"context"
	"slices"
	"time"

	"parley/domain"
)

const (
	// sweepPage is how many rooms are asked for at a time. It is large, because a store may have to look at all
	// of its rooms for each page.
	sweepPage = 10_000
	// sweepBatch is how many members are looked at each time that the conversation's lock is taken.
	sweepBatch = 256
	// sweepMargin is how long after the end of the grace time the timers are given to do it themselves.
	sweepMargin = time.Minute
)

// Sweep looks through all rooms and removes what should not be there: sessions that have ended or whose join failed,
// and users whose grace time is over. Every disconnect cleans up by itself, so Sweep finds something only if a store
// failed at that. It returns how many sessions and users it removed, and how many sessions it left in place because it
// does not know their users, which is a fault.
func (c *Chat) Sweep(ctx context.Context, now time.Time) (removed, unknown int) {
	sweep := c.strays.beginSweep()
	var after domain.RoomID
	failed := false
	for {
		rooms, err := c.rooms.Rooms(ctx, after, sweepPage)
		if err != nil {
			c.logger.Warn("the sweep was broken off", "error", err)
			break
		}
		for _, room := range rooms {
			if ctx.Err() != nil || !c.timers.begin() {
				return removed, unknown
			}
			r, u, err := c.sweep(ctx, room, now)
			c.timers.done()
			if removed, unknown = removed+r, unknown+u; err != nil {
				failed = true
				c.logger.Warn("a room was not swept", "room", room, "error", err)
			}
		}
		if len(rooms) < sweepPage {
			if !failed {
				c.strays.drop(sweep)
			}
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
func (c *Chat) sweep(ctx context.Context, room domain.RoomID, now time.Time) (removed, unknown int, err error) {
	conversation, ok := room.Conversation()
	if !ok {
		return 0, 0, nil
	}
	var members []domain.UserID
	err = c.underLock(conversation, func() (err error) {
		if removed, unknown, err = c.sweepSessions(ctx, conversation); err != nil {
			return err
		}
		members, err = c.rooms.Members(ctx, room)
		return err
	})
	for users := range slices.Chunk(members, sweepBatch) {
		if err != nil {
			break
		}
		err = c.underLock(conversation, func() error {
			n, err := c.sweepMembers(ctx, conversation, users, now)
			removed += n
			return err
		})
	}
	return removed, unknown, err
}

// sweepSessions removes from the room the sessions that are not in the conversation. The caller holds the
// conversation's lock.
func (c *Chat) sweepSessions(ctx context.Context, conversation domain.ConversationID) (removed, unknown int, err error) {
	sessions, err := c.rooms.Sessions(ctx, conversation.Room())
	if err != nil {
		return 0, 0, err
	}
	for _, s := range sessions {
		user, belongs := c.sessions.belongs(s, conversation)
		if belongs {
			continue
		}
		if user == "" {
			user = c.strays.user(conversation, s)
		}
		if user == "" {
			unknown++
			continue
		}
		departed, err := c.leaveRoom(ctx, s, user, conversation, true)
		if departed {
			c.awaitNoMore(conversation, user)
		}
		if err != nil {
			return removed, unknown, err
		}
		removed++
	}
	return removed, unknown, nil
}

// sweepMembers ends the wait for those of the users whose grace time is over. The caller holds the conversation's lock.
func (c *Chat) sweepMembers(
	ctx context.Context, conversation domain.ConversationID, users []domain.UserID, now time.Time,
) (removed int, err error) {
	for _, user := range users {
		departed, err := c.rooms.Expire(ctx, conversation.Room(), user, now.Add(-sweepMargin))
		if err != nil {
			return removed, err
		}
		if !departed {
			continue
		}
		removed++
		if err := c.tellLeft(ctx, conversation, user); err != nil {
			return removed, err
		}
	}
	return removed, nil
}
