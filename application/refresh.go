package application

import (
	"context"
	"time"

	"parley/domain"
	"parley/ports"
)

// Refresh gives the session a new token, and takes it out of the conversations that the token does not let it be in.
func (c *Chat) Refresh(ctx context.Context, id domain.SessionID, token string) (ports.Refreshed, error) {
	s, err := c.sessions.get(id)
	if err != nil {
		return ports.Refreshed{}, err
	}
	who, err := c.auth.Authenticate(ctx, token)
	if err != nil {
		return ports.Refreshed{}, err
	}
	conversations, err := s.refresh(who)
	if err != nil {
		return ports.Refreshed{}, err
	}
	c.sessions.reschedule(id, who.ExpiresAt)
	refreshed := ports.Refreshed{ExpiresAt: who.ExpiresAt}
	for _, conversation := range conversations {
		if c.cfg.Access.Check(who, conversation) == nil {
			continue
		}
		if err := c.Leave(ctx, id, conversation); err != nil {
			// The session would go on getting events that it has no permission for, so it is ended instead.
			c.logger.Warn("a session that may not be there did not leave", "session", id, "conversation", conversation, "error", err)
			c.ends.Disconnect(id)
			return ports.Refreshed{}, err
		}
		refreshed.Left = append(refreshed.Left, conversation)
	}
	return refreshed, nil
}

// warnBefore is how long before its token expires a session is warned.
const warnBefore = 60 * time.Second

// Expire ends the sessions whose tokens have expired at the time now, and warns those whose tokens will soon. It also
// forgets what was kept for sessions that can no longer come back. It is to be called about once a second.
func (c *Chat) Expire(now time.Time) {
	c.unheard.prune(now)
	e := c.sessions.expire(now)
	for _, s := range e.soon {
		c.out.Broadcast([]domain.SessionID{s.id}, "", domain.TokenExpiring{ExpiresAt: s.expires})
	}
	if len(e.over) > 0 {
		c.out.Broadcast(e.over, "", domain.SessionEnded{Reason: errExpired()})
	}
	if len(e.end) > 0 {
		c.ends.Disconnect(e.end...)
	}
}

func errExpired() *domain.Error {
	return domain.Errorf(domain.CodeTokenExpired, "the token has expired: connect with a new one")
}
