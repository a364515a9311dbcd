package application

import (
	"time"

	"parley/domain"
)

// dueAt notes that a session of the shard expires then. The caller holds mu.
func (sh *registryShard) dueAt(expires time.Time) {
	if !expires.IsZero() {
		sh.wake(expires.Add(-warnBefore))
	}
}

func (sh *registryShard) wake(at time.Time) {
	if sh.due.IsZero() || at.Before(sh.due) {
		sh.due = at
	}
}

// due notes that the session expires at another time now.
func (r *registry) due(id domain.SessionID, expires time.Time) {
	sh := r.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.dueAt(expires)
}

// expiring is a session whose token expires soon.
type expiring struct {
	id      domain.SessionID
	expires time.Time
}

// expire returns the sessions whose tokens are over at now, and those to be warned, each once. It looks
// only into shards that have one of either.
func (r *registry) expire(now time.Time) (over []domain.SessionID, soon []expiring) {
	for i := range r.shards {
		o, s := r.shards[i].expire(now)
		over, soon = append(over, o...), append(soon, s...)
	}
	return over, soon
}

func (sh *registryShard) expire(now time.Time) (over []domain.SessionID, soon []expiring) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.due.IsZero() || sh.due.After(now) {
		return nil, nil
	}
	sh.due = time.Time{}
	for id, s := range sh.open {
		expires, isOver, warn := s.expire(now)
		switch {
		case expires.IsZero():
		case isOver:
			over = append(over, id)
		case expires.Add(-warnBefore).After(now):
			sh.wake(expires.Add(-warnBefore))
		default:
			sh.wake(expires)
		}
		if warn {
			soon = append(soon, expiring{id, expires})
		}
	}
	return over, soon
}

// expire says when the session's token is over, whether it is, and whether the client is to be warned,
// which it is once.
func (s *session) expire(now time.Time) (expires time.Time, over, warn bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := s.state.Identity
	over = who.Expired(now)
	warn = !over && !s.warned && who.Expired(now.Add(warnBefore))
	s.warned = s.warned || warn
	return who.ExpiresAt, over, warn
}
