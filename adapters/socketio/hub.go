package socketio

import (
	"fmt"
	"log/slog"
	"sync"

	"parley/adapters/socketio/sio"
	"parley/domain"
	"parley/ports"
)

// namespace is where the chat lives.
const namespace = "/"

// Hub carries events to the sessions connected here. It is the outbound half of this adapter and
// depends on nothing: Server, the inbound half, registers sockets with it.
type Hub struct {
	log *slog.Logger

	// mu is held while an event is enqueued, never over I/O.
	mu      sync.RWMutex
	sockets map[domain.SessionID]*sio.Socket
}

var _ ports.Broadcaster = (*Hub)(nil)

// NewHub returns a hub without sockets.
func NewHub(log *slog.Logger) *Hub {
	return &Hub{log: log, sockets: make(map[domain.SessionID]*sio.Socket)}
}

// Broadcast encodes the event once and enqueues the same bytes for every session.
func (h *Hub) Broadcast(to []domain.SessionID, except domain.SessionID, e domain.Event) {
	name, payload := newEvent(e)
	if name == "" {
		h.log.Error("event not encoded: it has no wire form", "type", fmt.Sprintf("%T", e))
		return
	}
	p, err := sio.Prepare(namespace, name, payload)
	if err != nil {
		h.log.Error("event not encoded", "event", name, "error", err)
		return
	}
	if e.Ephemeral() {
		p = p.Volatile()
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	sio.Multicast(func(yield func(*sio.Socket) bool) {
		for _, id := range to {
			if s := h.sockets[id]; s != nil && id != except && !yield(s) {
				return
			}
		}
	}, p)
}

func (h *Hub) add(s *sio.Socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets[sessionID(s)] = s
}

func (h *Hub) remove(s *sio.Socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, sessionID(s))
}

// sessionID: a chat session is a Socket.IO socket.
func sessionID(s *sio.Socket) domain.SessionID { return domain.SessionID(s.ID()) }
