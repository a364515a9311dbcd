package application_test

import (
	"maps"
	"slices"
	"sync"

	"parley/domain"
)

// recorder is a broadcaster that keeps what each session was sent, in order.
type recorder struct {
	mu     sync.Mutex
	queues map[domain.SessionID][]domain.Event
	ended  []domain.SessionID
}

func newRecorder() *recorder { return &recorder{queues: map[domain.SessionID][]domain.Event{}} }

func (r *recorder) Broadcast(to []domain.SessionID, except domain.SessionID, e domain.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range to {
		if id != except {
			r.queues[id] = append(r.queues[id], e)
		}
	}
}

// Disconnect notes the sessions that the application ends.
func (r *recorder) Disconnect(ids ...domain.SessionID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = append(r.ended, ids...)
}

// takeEnded returns the sessions that the application has ended since the last call.
func (r *recorder) takeEnded() []domain.SessionID {
	r.mu.Lock()
	defer r.mu.Unlock()
	ended := r.ended
	r.ended = nil
	return ended
}

// mark puts a note between the events of a session.
func (r *recorder) mark(id domain.SessionID, note domain.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queues[id] = append(r.queues[id], note)
}

// take returns what the session was sent since the last call.
func (r *recorder) take(id domain.SessionID) []domain.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.queues[id]
	delete(r.queues, id)
	return events
}

// untaken returns the sessions with events that nobody has taken.
func (r *recorder) untaken() []domain.SessionID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.queues))
}
