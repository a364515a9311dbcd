package engineio

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// registry finds sessions by id. Its lock may be taken while a session's is held, never the other way round.
type registry struct {
	mu   sync.RWMutex
	byID map[string]*Session
	// open counts the sessions in byID that are not over.
	open   int
	closed bool
}

// add registers the session and counts it in running. It refuses if the registry is closed, or the id is taken.
func (r *registry) add(s *Session, running *sync.WaitGroup) *Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errClosing
	}
	if r.byID[s.id] != nil {
		return errBadRequest
	}
	if r.byID == nil {
		r.byID = make(map[string]*Session)
	}
	r.byID[s.id] = s
	r.open++
	running.Add(1)
	return nil
}

// retire counts the session as over. If it is to linger, it can be found until forget.
func (r *registry) retire(s *Session, linger bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	if !linger {
		delete(r.byID, s.id)
	}
}

// forget ends the lingering of a session. It does nothing if another session has the id by now.
func (r *registry) forget(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID[s.id] == s {
		delete(r.byID, s.id)
	}
}

func (r *registry) get(id string) *Session {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byID[id]
}

func (r *registry) len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.open
}

func (r *registry) isClosed() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.closed
}

// close refuses sessions from now on and returns the registered ones, also those that linger.
func (r *registry) close() []*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return slices.Collect(maps.Values(r.byID))
}

// randomID returns 144 random bits as 24 characters of base64url.
func randomID(*http.Request) (string, error) {
	var b [18]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}
