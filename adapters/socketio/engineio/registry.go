package engineio

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// registry finds sessions by id. Its lock is taken after a session's.
type registry struct {
	mu   sync.RWMutex
	byID map[string]*Session
	// open counts the sessions of byID that are not over.
	open   int
	closed bool
}

// add registers the session and counts it in running. It refuses when the registry is closed, and a
// second session with the same id.
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

// retire counts the session as over. If its id is to linger, it is found until forget.
func (r *registry) retire(s *Session, linger bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	if !linger {
		delete(r.byID, s.id)
	}
}

// forget ends the lingering. It may be called again when another session has the id.
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

// close lets no more sessions in and returns those that are open.
func (r *registry) close() []*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return slices.Collect(maps.Values(r.byID))
}

// randomID returns 144 random bits as 24 characters of base64url.
func randomID(*http.Request) (string, error) {
	var b [18]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}
