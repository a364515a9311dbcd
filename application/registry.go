package application

import (
	"hash/maphash"
	"sync"
	"time"

	"parley/domain"
)

// registryShards is the number of locks that sessions are spread over, so that events of many sessions do not contend
// for one.
const registryShards = 64

// registry holds the open sessions.
type registry struct {
	seed   maphash.Seed
	shards [registryShards]registryShard
	users  [registryShards]userShard
}

type registryShard struct {
	mu   sync.RWMutex
	open map[domain.SessionID]*session
	// due is the earliest time at which expire may have something to do in this shard; the zero time is never.
	due time.Time
}

// userShard knows the sessions of each user. Only the locks of sessions may be taken under its lock.
type userShard struct {
	mu sync.RWMutex
	// newest is the first of the user's linked list of sessions: see session.older.
	newest map[domain.UserID]*session
}

func newRegistry() *registry {
	r := &registry{seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].open = map[domain.SessionID]*session{}
		r.users[i].newest = map[domain.UserID]*session{}
	}
	return r
}

func (r *registry) shard(id domain.SessionID) *registryShard {
	return &r.shards[maphash.String(r.seed, string(id))%registryShards]
}

func (r *registry) user(u domain.UserID) *userShard {
	return &r.users[maphash.String(r.seed, string(u))%registryShards]
}

// add opens a session; a CodeUnavailable error says that the id is taken. returning lists the places where Recover is
// about to put the session back, if it is recovering.
func (r *registry) add(id domain.SessionID, who domain.Identity, returning []domain.Place) error {
	sh := r.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, taken := sh.open[id]; taken {
		return domain.Errorf(domain.CodeUnavailable, "a session with this id is still open")
	}
	s := &session{state: domain.NewSession(id, who, time.Now())}
	if len(returning) > 0 {
		s.returning = &homecoming{returning}
	}
	sh.open[id] = s
	sh.schedule(who.ExpiresAt)
	r.user(who.User).add(s, who.User)
	return nil
}

func (r *registry) get(id domain.SessionID) (*session, error) {
	sh := r.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	s, open := sh.open[id]
	if !open {
		return nil, errEnded()
	}
	return s, nil
}

// remove undoes add and frees the id. user is the session's user.
func (r *registry) remove(id domain.SessionID, user domain.UserID) {
	sh := r.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if s, open := sh.open[id]; open {
		delete(sh.open, id)
		r.user(user).remove(s, user)
	}
}

func (u *userShard) add(s *session, user domain.UserID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s.older = u.newest[user]
	if s.older != nil {
		s.older.newer = s
	}
	u.newest[user] = s
}

func (u *userShard) remove(s *session, user domain.UserID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s.older != nil {
		s.older.newer = s.newer
	}
	switch {
	case s.newer != nil:
		s.newer.older = s.older
	case s.older != nil:
		u.newest[user] = s.older
	default:
		delete(u.newest, user)
	}
	s.newer, s.older = nil, nil
}

// of returns the open sessions of the user. The caller owns the slice.
func (r *registry) of(user domain.UserID) []domain.SessionID {
	return r.matching(user, func(*session) bool { return true })
}

// matching returns the user's open sessions for which match is true. The caller owns the slice.
func (r *registry) matching(user domain.UserID, match func(*session) bool) (ids []domain.SessionID) {
	u := r.user(user)
	u.mu.RLock()
	defer u.mu.RUnlock()
	for s := u.newest[user]; s != nil; s = s.older {
		if match(s) {
			ids = append(ids, s.state.ID)
		}
	}
	return ids
}

// hearing returns the user's sessions to send an event about the conversation to, whether they are in it or not; see
// session.hears. surely says that one of them is sure to get the event. The caller holds the conversation's lock.
func (r *registry) hearing(
	user domain.UserID, access domain.Access, c domain.ConversationID,
) (ids []domain.SessionID, surely bool) {
	ids = r.matching(user, func(s *session) bool {
		hears, sure := s.hears(access, c)
		surely = surely || sure
		return hears
	})
	return ids, surely
}

// getting returns the user's open sessions that get the conversation's message with the seq, because they joined
// before it or had it replayed.
func (r *registry) getting(user domain.UserID, c domain.ConversationID, seq uint64) []domain.SessionID {
	return r.matching(user, func(s *session) bool { return s.gets(c, seq) })
}

// all returns the open sessions, in no particular order.
func (r *registry) all() (ids []domain.SessionID) {
	for i := range r.shards {
		sh := &r.shards[i]
		sh.mu.RLock()
		for id := range sh.open {
			ids = append(ids, id)
		}
		sh.mu.RUnlock()
	}
	return ids
}

// belongs reports whether the session is in the conversation. A session that has ended belongs until Disconnect takes
// it out. user is the session's user, "" if there is no such session. The caller holds the conversation's lock.
func (r *registry) belongs(id domain.SessionID, c domain.ConversationID) (user domain.UserID, belongs bool) {
	s, err := r.get(id)
	if err != nil {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Identity.User, s.state.Within(c) == nil
}
