package application

import (
	"sync"

	"parley/domain"
)

// maxStrays bounds the sessions that are remembered because a store failed to remove them.
const maxStrays = 100_000

// strays are sessions that have ended and that a store may have failed to remove from a room: whose they
// were. Entries are dropped after the next sweep of all rooms, which has removed the sessions or seen that
// they were not there.
type strays struct {
	mu    sync.Mutex
	users map[stray]strayed
	// sweeps counts the sweeps that have begun.
	sweeps int
}

type stray struct {
	conversation domain.ConversationID
	session      domain.SessionID
}

type strayed struct {
	user domain.UserID
	// sweeps is how many had begun when the entry was made.
	sweeps int
}

func newStrays() *strays { return &strays{users: map[stray]strayed{}} }

func (s *strays) add(c domain.ConversationID, id domain.SessionID, user domain.UserID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.users) < maxStrays {
		s.users[stray{c, id}] = strayed{user, s.sweeps}
	}
}

// user returns whose session it was; "" if that is not known.
func (s *strays) user(c domain.ConversationID, id domain.SessionID) domain.UserID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[stray{c, id}].user
}

// mark begins a sweep.
func (s *strays) mark() (sweep int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweeps++
	return s.sweeps
}

// drop forgets what was added before the sweep began.
func (s *strays) drop(sweep int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, e := range s.users {
		if e.sweeps < sweep {
			delete(s.users, key)
		}
	}
}
