package engineio

import (
	"errors"
	"os"
	"slices"
)

// flush writes what is pending, without waiting. A flusher worker calls it when the session is flushQueued.
func (s *Session) flush(w *writer) {
	s.mu.Lock()
	if s.state == stateClosed {
		s.flushing = flushIdle
		s.mu.Unlock()
		return
	}
	ws := s.ws
	w.packets = s.takeLocked(w.packets[:0])
	s.flushing = flushWriting
	s.mu.Unlock()
	defer clear(w.packets)

	s.compress(w.packets)
	if ws.polled == nil {
		s.park(nil, w.packets)
		return
	}
	rest, next, err := w.write(ws.polled, w.packets)
	if err != nil {
		s.giveUpWriting()
		return
	}
	if len(rest) > 0 || next < len(w.packets) {
		s.park(rest, w.packets[next:])
		return
	}
	if s.settle() {
		s.server.flusher.push(s)
	}
}

// settle ends a turn of writing, and reports whether more has been enqueued in the meantime. The session is then
// flushQueued again: by waiting for another turn, after other sessions, it lets more frames coalesce.
func (s *Session) settle() (again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateClosed {
		return false
	}
	if !s.outbox.empty() {
		s.flushing = flushQueued
		return true
	}
	s.flushing = flushIdle
	s.farewellLocked()
	return false
}

// farewellLocked is called when everything has been written. If the session is closing, it closes the connection.
func (s *Session) farewellLocked() {
	switch {
	case s.state != stateClosing:
	case s.closeHeard:
		s.server.running.Go(s.ws.close) // the server closes first (RFC 6455 §7.1.1)
	default:
		s.server.running.Go(s.ws.closeWrite)
	}
}

// park hands the session to a goroutine that waits for its socket, which takes no more or cannot be written to without
// waiting. The packets are cloned, since the slice belongs to the worker.
func (s *Session) park(rest []byte, packets []*Packet) {
	waiting := slices.Clone(packets)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateClosed {
		return
	}
	s.flushing = flushParked
	s.server.running.Go(func() { s.drain(rest, waiting) })
}

// drain writes until nothing is pending. The session ends if its client does not take what is pending within
// WriteTimeout; what is enqueued meanwhile is bounded by the outbox.
func (s *Session) drain(rest []byte, packets []*Packet) {
	for {
		s.compress(packets)
		if err := s.ws.write(rest, packets, s.server.config.WriteTimeout); err != nil {
			if failure(err) == ReasonSlowClient {
				s.ws.reset()
				s.end(ReasonSlowClient)
				return
			}
			s.giveUpWriting()
			return
		}
		s.mu.Lock()
		if s.state == stateClosed {
			s.mu.Unlock()
			return
		}
		if s.outbox.empty() {
			s.flushing = flushIdle
			s.farewellLocked()
			s.mu.Unlock()
			return
		}
		rest, packets = nil, s.takeLocked(packets[:0])
		s.mu.Unlock()
	}
}

// giveUpWriting is called when the connection is broken. What the client sent before may still be there to read, so
// ending the session is left to the reader: it finds the break too, after everything that came.
func (s *Session) giveUpWriting() {
	s.mu.Lock()
	s.flushing = flushBroken
	s.signalRoomLocked()
	s.outbox = outbox{}
	s.mu.Unlock()
	s.ws.hurry()
}

// failure returns the reason for ending a session whose client could not be written to.
func failure(err error) CloseReason {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ReasonSlowClient
	}
	return ReasonTransportError
}
