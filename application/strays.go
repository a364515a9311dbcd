package application

import (
	"sync"

	"parley/domain"
)

// maxStrays bounds how many sessions are remembered because a store failed to remove them.
const maxStrays = 100_000

// strays remembers the users of sessions that have ended but may still be in a room, because a store failed to remove
// them: a sweep needs the user to remove the session. An entry is dropped after the next complete sweep, which has
// removed the session or seen that it was not there.
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
	// sweeps is how many sweeps had begun when the entry was made.
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

// user returns the session's user; "" if it is not known.
func (s *strays) user(c domain.ConversationID, id domain.SessionID) domain.UserID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[stray{c, id}].user
}

// beginSweep notes that a sweep begins, and returns its number for drop.
func (s *strays) beginSweep() (sweep int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweeps++
	return s.sweeps
}

// drop forgets the entries that were added before the sweep began.
func (s *strays) drop(sweep int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, e := range s.users {
		if e.sweeps < sweep {
			delete(s.users, key)
		}
	}
}
