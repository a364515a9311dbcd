package application

import (
	"slices"
	"sync"
	"time"

	"parley/domain"
	"parley/ports"
)

// session is an open session. Its client's calls come one after another, but Disconnect may come
// between them, so the state has a lock.
//
// There may be very many, most of them idle: so it is kept small.
type session struct {
	// newer and older are the user's sessions beside this one. The user's shard guards them.
	newer, older *session

	mu    sync.Mutex
	ended bool
	// warned says that the client knows that its token expires soon.
	warned bool
	// expired says that the session was to end because its token's time was over; from then on no other helps.
	// asked is when that was asked for, in Unix nanoseconds.
	expired bool
	asked   int64
	// returning is set while the session recovers.
	returning *homecoming
	state     domain.Session
}

// homecoming is where a session is put back that recovers just now.
type homecoming struct{ places []domain.Place }

// to reports whether the session is put back in the conversation; that of nil is in none.
func (h *homecoming) to(c domain.ConversationID) bool {
	return h != nil && slices.ContainsFunc(h.places, func(p domain.Place) bool { return p.Conversation == c })
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

// within checks that the session is in the conversation, allowed or not, its token valid or not.
func (s *session) within(c domain.ConversationID) (domain.UserID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return "", errEnded()
	}
	s.state.Touch(time.Now())
	return s.state.Identity.User, s.state.Within(c)
}

// exit takes the session out of the conversation, and reports whether it was in it.
func (s *session) exit(c domain.ConversationID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Exit(c)
}

func (s *session) follow(c domain.ConversationID, seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Follow(c, seq)
}

func (s *session) gets(c domain.ConversationID, seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ended && s.state.Gets(c, seq)
}

// hears reports whether the session is told now what its user is told of the conversation, if it may hear of it at
// all. One that is yet to be put back there is told by that; one that has ended and is already out of it is told
// when it comes back. surely says that its client hears it: of a session that is going, or coming back, nobody knows.
func (s *session) hears(access domain.Access, c domain.ConversationID) (hears, surely bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if access.Check(s.state.Identity, c) != nil {
		return false, false
	}
	hears = s.state.Within(c) == nil || !s.ended && !s.returning.to(c)
	return hears, hears && !s.ended && s.returning == nil
}

// returned notes that the session is where it was.
func (s *session) returned() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.returning = nil
}

// heard returns whose session it is.
func (s *session) heard() (domain.UserID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Identity.User, s.touch()
}

// refresh gives the session a new token's identity and returns where it is.
func (s *session) refresh(who domain.Identity) ([]domain.ConversationID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, errEnded()
	}
	if s.expired {
		return nil, errExpired()
	}
	if who.User != s.state.Identity.User {
		return nil, domain.Errorf(domain.CodeForbidden, "the token is another user's")
	}
	s.state.Identity, s.warned = who, false
	s.state.Touch(time.Now())
	return s.state.Conversations(), nil
}

// describe returns what operators are shown.
func (s *session) describe() ports.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ports.Session{
		ID: s.state.ID, User: s.state.Identity.User, ConnectedAt: s.state.ConnectedAt(),
		LastActivity: s.state.LastActivity(), ExpiresAt: s.state.Identity.ExpiresAt, Conversations: s.state.Conversations(),
	}
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

// touch records that the client was heard, if its token lets it say anything. The caller holds mu.
func (s *session) touch() error {
	if s.ended {
		return errEnded()
	}
	now := time.Now()
	if s.state.Identity.Expired(now) {
		return errExpired()
	}
	s.state.Touch(now)
	return nil
}

func errEnded() error {
	return domain.Errorf(domain.CodeUnavailable, "the session is not open")
}
