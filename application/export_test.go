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

// SessionCount returns how many sessions the registry holds.
func (c *Chat) SessionCount() int {
	n := 0
	for i := range c.sessions.shards {
		sh := &c.sessions.shards[i]
		sh.mu.RLock()
		n += len(sh.open)
		sh.mu.RUnlock()
	}
	return n
}

// WaitingTimers returns how many timers wait.
func (c *Chat) WaitingTimers() int {
	c.timers.mu.Lock()
	defer c.timers.mu.Unlock()
	return len(c.timers.waiting)
}
