package application

import (
	"time"

	"parley/domain"
)

// schedule notes when a session of the shard expires; the zero time is never. The caller holds mu.
func (sh *registryShard) schedule(expires time.Time) {
	if !expires.IsZero() {
		sh.wake(expires.Add(-warnBefore))
	}
}

// wake makes expire look into the shard at that time or earlier. The caller holds mu.
func (sh *registryShard) wake(at time.Time) {
	if sh.due.IsZero() || at.Before(sh.due) {
		sh.due = at
	}
}

// reschedule notes that the session now expires at another time.
func (r *registry) reschedule(id domain.SessionID, expires time.Time) {
	sh := r.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.schedule(expires)
}

// expiring is a session whose token expires soon.
type expiring struct {
	id      domain.SessionID
	expires time.Time
}

// expiry is what is to be done about sessions whose tokens have expired, or will soon.
type expiry struct {
	// over are the sessions to tell that they have expired, each once. end are the sessions to end: those, and
	// the ones that are still open although they were to end before.
	over, end []domain.SessionID
	// soon are the sessions to warn, once for each token.
	soon []expiring
}

// endAgain is how long an expired session may stay open before it is ended again: the Disconnector may not have
// known a session that had only just been opened.
const endAgain = 10 * time.Second

// expire returns what is to be done at the time now. It looks only into shards in which something is due.
func (r *registry) expire(now time.Time) (e expiry) {
	for i := range r.shards {
		r.shards[i].expire(now, &e)
	}
	return e
}

func (sh *registryShard) expire(now time.Time, e *expiry) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.due.IsZero() || sh.due.After(now) {
		return
	}
	sh.due = time.Time{}
	for id, s := range sh.open {
		if next := s.expire(now, id, e); !next.IsZero() {
			sh.wake(next)
		}
	}
}

// expire adds to e what is to be done about the session, and returns when to look again; the zero time is never.
func (s *session) expire(now time.Time, id domain.SessionID, e *expiry) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := s.state.Identity
	asked := time.Unix(0, s.asked)
	switch {
	case s.ended || who.ExpiresAt.IsZero():
		return time.Time{}
	case s.expired && now.Sub(asked) < endAgain:
		return asked.Add(endAgain)
	case s.expired || who.Expired(now):
		if !s.expired {
			e.over = append(e.over, id)
		}
		e.end = append(e.end, id)
		s.expired, s.asked = true, now.UnixNano()
		return now.Add(endAgain)
	case !who.Expired(now.Add(warnBefore)):
		return who.ExpiresAt.Add(-warnBefore)
	case !s.warned:
		s.warned = true
		e.soon = append(e.soon, expiring{id, who.ExpiresAt})
	}
	return who.ExpiresAt
}
