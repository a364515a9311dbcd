package application

import (
	"slices"
	"sync"
	"time"

	"parley/domain"
	"parley/ports"
)

// session is an open session. Its client's calls come one after another, but Disconnect may come at any time, and other
// goroutines look at it, so mu guards everything below it. Only state.ID, which never changes, is read without mu.
//
// It is kept small, because there may be very many sessions, most of them idle.
type session struct {
	// newer and older link the sessions of one user. The mu of the user's shard guards them.
	newer, older *session

	mu    sync.Mutex
	ended bool
	// warned says that the client has been told that its token expires soon.
	warned bool
	// expired says that the session is being ended because its token expired; a new token does not help any more.
	// asked is when the end was last asked for, in Unix nanoseconds.
	expired bool
	asked   int64
	// returning is nil unless the session is recovering.
	returning *homecoming
	state     domain.Session
}

// homecoming lists the places where a recovering session is put back.
type homecoming struct{ places []domain.Place }

// to reports whether the session is put back into the conversation; a nil homecoming leads nowhere.
func (h *homecoming) to(c domain.ConversationID) bool {
	return h != nil && slices.ContainsFunc(h.places, func(p domain.Place) bool { return p.Conversation == c })
}

// participate checks that the session may take part in the conversation and is in it, and returns its user.
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

// enter checks that the session may take part in the conversation and notes that it is in it. entered says that it was
// not in it before.
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

// within checks that the session is in the conversation and returns its user. It checks neither permission nor token,
// so that every session may leave.
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

// hears reports whether an event about the conversation for the user is to be sent to the session now. Sessions without
// permission for the conversation do not get it. Nor does a session that is about to be put back into the conversation,
// which gets it by the replay, nor one that has ended and was taken out of it, which gets it if it recovers.
// surely says that the client will get the event, which is not known of a session that has ended or is recovering.
func (s *session) hears(access domain.Access, c domain.ConversationID) (hears, surely bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if access.Check(s.state.Identity, c) != nil {
		return false, false
	}
	hears = s.state.Within(c) == nil || !s.ended && !s.returning.to(c)
	return hears, hears && !s.ended && s.returning == nil
}

// returned notes that the session has recovered.
func (s *session) returned() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.returning = nil
}

// heard notes that the client was heard, and returns the session's user.
func (s *session) heard() (domain.UserID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Identity.User, s.touch()
}

// refresh gives the session the identity of a new token and returns the conversations that it is in.
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

// end makes every later call for the session fail, and returns its user and conversations; first is false if it was
// ended before. A concurrent Join has either entered, and its conversation is in the list, or will fail: no session
// stays in a room after its end.
func (s *session) end() (user domain.UserID, conversations []domain.ConversationID, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return "", nil, false
	}
	s.ended = true
	return s.state.Identity.User, s.state.Conversations(), true
}

// touch notes that the client was heard, unless the session has ended or its token has expired, which are errors. The
// caller holds mu.
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
