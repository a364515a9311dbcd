package engineio

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"sync"
)

// registry finds sessions by id. Its lock is taken after a session's.
type registry struct {
	mu     sync.RWMutex
	byID   map[string]*Session
	closed bool
}

// add registers the session and counts it in running, unless the registry is closed.
func (r *registry) add(s *Session, running *sync.WaitGroup) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	if r.byID == nil {
		r.byID = make(map[string]*Session)
	}
	r.byID[s.id] = s
	running.Add(1)
	return true
}

func (r *registry) remove(s *Session) {
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
	return len(r.byID)
}

// close lets no more sessions in and returns those that are open.
func (r *registry) close() []*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return slices.Collect(maps.Values(r.byID))
}

// randomID returns 144 random bits as 24 characters of base64url.
func randomID() string {
	var b [18]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}
