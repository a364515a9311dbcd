package application

import (
	"hash/maphash"
	"sync"
	"time"

	"parley/domain"
)

// registryShards spreads the sessions over several locks, so that events of many sessions do not
// meet in one.
const registryShards = 64

// registry holds the open sessions.
type registry struct {
	seed   maphash.Seed
	shards [registryShards]registryShard
}

type registryShard struct {
	mu   sync.RWMutex
	open map[domain.SessionID]*session
}

func newRegistry() *registry {
	r := &registry{seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].open = map[domain.SessionID]*session{}
	}
	return r
}

func (r *registry) shard(id domain.SessionID) *registryShard {
	return &r.shards[maphash.String(r.seed, string(id))%registryShards]
}

// add opens a session, unless there is one with this id.
func (r *registry) add(id domain.SessionID, who domain.Identity) error {
	sh := r.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, taken := sh.open[id]; taken {
		return domain.Errorf(domain.CodeUnavailable, "a session with this id is still open")
	}
	sh.open[id] = &session{state: *domain.NewSession(id, who, time.Now())}
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

func (r *registry) remove(id domain.SessionID) {
	sh := r.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.open, id)
}

// session is an open session. Its client's calls come one after another, but Disconnect may come
// between them, so the state has a lock.
type session struct {
	mu    sync.Mutex
	ended bool
	state domain.Session
}

// participate checks that the session may take part in the conversation and is in it.
func (s *session) participate(access domain.Access, c domain.ConversationID) (domain.UserID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.touch(); err != nil {
		return "", err
	}
	if err := access.Check(s.state.Identity, c); err != nil {
		return "", err
	}
	return s.state.Identity.User, s.state.Within(c)
}

// enter checks that the session may take part in the conversation and puts it in.
func (s *session) enter(access domain.Access, c domain.ConversationID) (user domain.UserID, entered bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.touch(); err != nil {
		return "", false, err
	}
	if err := access.Check(s.state.Identity, c); err != nil {
		return "", false, err
	}
	entered, err = s.state.Enter(c)
	return s.state.Identity.User, entered, err
}

// within checks that the session is in the conversation, allowed or not.
func (s *session) within(c domain.ConversationID) (domain.UserID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.touch(); err != nil {
		return "", err
	}
	return s.state.Identity.User, s.state.Within(c)
}

func (s *session) exit(c domain.ConversationID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Exit(c)
}

// end refuses every later call for the session and returns who it spoke for and where it was; first
// says that nobody ended it before. A Join that entered before is in the list, one that comes later
// fails: no session stays in a room after its end.
func (s *session) end() (user domain.UserID, conversations []domain.ConversationID, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return "", nil, false
	}
	s.ended = true
	return s.state.Identity.User, s.state.Conversations(), true
}

// touch records that the client was heard. The caller holds mu.
func (s *session) touch() error {
	if s.ended {
		return errEnded()
	}
	s.state.Touch(time.Now())
	return nil
}

func errEnded() error {
	return domain.Errorf(domain.CodeUnavailable, "the session is not open")
}
