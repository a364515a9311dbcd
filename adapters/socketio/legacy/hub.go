package legacy

import (
	"log/slog"
	"sync"

	"parley/adapters/socketio"
	"parley/adapters/socketio/sio/packet"
	"parley/domain"
	"parley/ports"
)

// Hub sends events to the sessions of old clients. It depends on nothing: Server, the inbound half, registers
// sessions with it.
type Hub struct {
	log *slog.Logger

	mu       sync.RWMutex
	sessions map[domain.SessionID]*session
}

var (
	_ ports.Broadcaster  = (*Hub)(nil)
	_ ports.Disconnector = (*Hub)(nil)
)

// NewHub returns a hub without sessions.
func NewHub(log *slog.Logger) *Hub {
	return &Hub{log: log, sessions: make(map[domain.SessionID]*session)}
}

// Broadcast encodes the event once, if any of the sessions is here, and enqueues the same bytes for all that are.
func (h *Hub) Broadcast(to []domain.SessionID, except domain.SessionID, e domain.Event) {
	here := h.find(to, except)
	if len(here) == 0 {
		return
	}
	p, ok := h.encode(e)
	if !ok {
		return
	}
	for _, s := range here {
		s.send(p)
	}
}

// find returns those of the sessions that are here.
func (h *Hub) find(ids []domain.SessionID, except domain.SessionID) (here []*session) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if len(h.sessions) == 0 {
		return nil
	}
	for _, id := range ids {
		if s := h.sessions[id]; s != nil && id != except {
			here = append(here, s)
		}
	}
	return here
}

func (h *Hub) encode(e domain.Event) (outgoing, bool) {
	name, payload := socketio.WireEvent(e)
	var ask uint64
	if m, ok := e.(domain.MessageSent); ok {
		ask = uint64(m.Delivery)
	}
	p, err := newAsk(ask, name, payload)
	if err != nil {
		h.log.Error("event not encoded", "event", name, "error", err)
		return outgoing{}, false
	}
	p.ephemeral = e.Ephemeral()
	return p, true
}

// Disconnect ends those of the sessions that are here: their clients are told, and disconnect by themselves.
func (h *Hub) Disconnect(sessions ...domain.SessionID) {
	for _, s := range h.find(sessions, "") {
		s.send(newMessage(packet.Packet{Type: packet.Disconnect}))
		s.sentAway.Store(true)
		s.dismiss()
	}
}

func (h *Hub) add(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions[s.id] = s
}

func (h *Hub) remove(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, s.id)
}
