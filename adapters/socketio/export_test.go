package socketio

// Sockets is how many sessions the hub knows.
func (h *Hub) Sockets() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.sockets)
}
