package legacy

import (
	"net"

	"github.com/googollee/go-socket.io/engineio/transport"
)

// startUpgrade reports whether a WebSocket may try to take over.
func (s *session) startUpgrade() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.socket != nil || s.upgrading {
		return false
	}
	s.upgrading = true
	return true
}

// upgradeFailed is called if the WebSocket could not be opened.
func (s *session) upgradeFailed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upgrading = false
}

// attach wraps a WebSocket that the library has opened, on the connection beneath it.
func (s *session) attach(c transport.Conn, beneath net.Conn) *socket {
	k := &socket{Conn: c, beneath: beneath, session: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.upgrading {
		k.probing.Store(true)
		s.probe = k
	} else {
		s.socket = k
	}
	if s.ended {
		go c.Close() // too late for endLocked, and for anyone to wait
	}
	return k
}

// lost is called when the library closes a socket. If it was in use, or its upgrade had been completed, the
// session is over.
func (s *session) lost(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch k {
	case s.probe:
		s.probe, s.upgrading = nil, false
		if !k.probing.Load() {
			s.endLocked()
		}
	case s.socket:
		s.endLocked()
	}
}

// pausePolling holds back what is sent when an upgrade begins, and no longer when it has failed.
func (s *session) pausePolling(paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = paused
	s.wakeUp()
}

// leavePolling is called when the library closes the polling connection: because the probe has taken over, or
// because the session is over.
func (s *session) leavePolling() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended || s.socket != nil:
	case s.probe != nil && !s.probe.probing.Load():
		s.socket, s.probe, s.upgrading = s.probe, nil, false
		close(s.moved)
		s.startWriter(s.socket)
	default:
		s.endLocked()
	}
}
