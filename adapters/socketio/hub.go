package socketio

import (
	"fmt"
	"log/slog"
	"sync"

	"parley/adapters/socketio/sio"
	"parley/domain"
	"parley/ports"
)

// namespace is the one that the chat uses.
const namespace = "/"

// Hub sends events to the sessions that are connected here. It is the outbound half of this adapter and depends
// on nothing: Server, the inbound half, registers sockets with it.
type Hub struct {
	log *slog.Logger
	// recovery says that events must be encoded so that they can be recovered.
	recovery bool

	// mu is held while an event is enqueued, never over I/O.
	mu      sync.RWMutex
	sockets map[domain.SessionID]*sio.Socket
}

var (
	_ ports.Broadcaster  = (*Hub)(nil)
	_ ports.Disconnector = (*Hub)(nil)
)

// NewHub returns a hub without sockets. recovery says that the Server's Config.Recovery is set.
func NewHub(recovery bool, log *slog.Logger) *Hub {
	return &Hub{log: log, recovery: recovery, sockets: make(map[domain.SessionID]*sio.Socket)}
}

// Broadcast encodes the event once and enqueues the same bytes for every session.
func (h *Hub) Broadcast(to []domain.SessionID, except domain.SessionID, e domain.Event) {
	if len(to) == 0 {
		return
	}
	p, ok := h.encode(e)
	if !ok {
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

// send enqueues a missed event for one socket. It is never volatile, because volatile events are not kept for a
// socket whose connection is lost.
func (h *Hub) send(to *sio.Socket, e domain.Event) {
	if p, ok := h.encode(e); ok {
		to.Send(p)
	}
}

func (h *Hub) encode(e domain.Event) (sio.Prepared, bool) {
	name, payload := WireEvent(e)
	if name == "" {
		h.log.Error("event not encoded: it has no wire form", "type", fmt.Sprintf("%T", e))
		return sio.Prepared{}, false
	}
	p, err := h.prepare(e, name, payload)
	if err != nil {
		h.log.Error("event not encoded", "event", name, "error", err)
		return p, false
	}
	return p, true
}

func (h *Hub) prepare(e domain.Event, name string, payload any) (sio.Prepared, error) {
	if m, ok := e.(domain.MessageSent); ok && m.Delivery != 0 {
		return sio.PrepareAsking(namespace, name, uint64(m.Delivery), payload)
	}
	if h.recovery {
		return sio.PrepareRecoverable(namespace, name, payload)
	}
	return sio.Prepare(namespace, name, payload)
}

// Disconnect ends those of the sessions that are connected here.
func (h *Hub) Disconnect(sessions ...domain.SessionID) {
	for _, id := range sessions {
		h.mu.RLock()
		s := h.sockets[id]
		h.mu.RUnlock()
		if s != nil {
			s.Disconnect()
		}
	}
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

// sessionID returns the chat's session id, which is the id of the Socket.IO socket.
func sessionID(s *sio.Socket) domain.SessionID { return domain.SessionID(s.ID()) }
