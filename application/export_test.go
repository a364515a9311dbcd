package application

import (
	"time"

	"parley/domain"
)

// LastActivity returns when the session's client was last heard.
func (c *Chat) LastActivity(id domain.SessionID) time.Time {
	s, err := c.sessions.get(id)
	if err != nil {
		return time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.LastActivity
}

// OpenSessions returns how many sessions the registry holds.
func (c *Chat) OpenSessions() int {
	n := 0
	for i := range c.sessions.shards {
		sh := &c.sessions.shards[i]
		sh.mu.RLock()
		n += len(sh.open)
		sh.mu.RUnlock()
	}
	return n
}

// WaitingTimers returns how many dropped sessions have a timer.
func (c *Chat) WaitingTimers() int {
	c.departures.mu.Lock()
	defer c.departures.mu.Unlock()
	return len(c.departures.waiting)
}
