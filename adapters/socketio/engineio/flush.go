package engineio

import (
	"errors"
	"os"
	"slices"
)

// flush writes what is pending, without waiting. A flusher worker calls it; the session is flushQueued.
func (s *Session) flush(w *writer) {
	s.mu.Lock()
	if s.state == stateClosed {
		s.flushs = flushIdle
		s.mu.Unlock()
		return
	}
	ws := s.ws
	w.packets = s.takeLocked(w.packets[:0])
	s.flushs = flushWriting
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

// settle ends a turn of writing, and reports whether more has come in the meantime. The session then
// is flushQueued: another turn, after the others, lets more frames coalesce.
func (s *Session) settle() (again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateClosed {
		return false
	}
	if !s.outbox.empty() {
		s.flushs = flushQueued
		return true
	}
	s.flushs = flushIdle
	s.farewellLocked()
	return false
}

// farewellLocked is called when everything has been written.
func (s *Session) farewellLocked() {
	switch {
	case s.state != stateClosing:
	case s.closeHeard:
		s.server.running.Go(s.ws.close) // the server closes first (RFC 6455 §7.1.1)
	default:
		s.server.running.Go(s.ws.closeWrite)
	}
}

// park hands a session whose socket takes no more to a goroutine that waits for it. The packets are
// copied out: they are the worker's.
func (s *Session) park(rest []byte, packets []*Packet) {
	waiting := slices.Clone(packets)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateClosed {
		return
	}
	s.flushs = flushParked
	s.server.running.Go(func() { s.drain(rest, waiting) })
}

// drain writes until nothing is pending. A client that does not take one round of it in time is let
// go; until then what comes in is bounded by the outbox.
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
			s.flushs = flushIdle
			s.farewellLocked()
			s.mu.Unlock()
			return
		}
		rest, packets = nil, s.takeLocked(packets[:0])
		s.mu.Unlock()
	}
}

// giveUpWriting is called when the connection is broken. What the client sent before may still be there
// to be read, so it is the reader that ends the session: it finds the break too, after all that came.
func (s *Session) giveUpWriting() {
	s.mu.Lock()
	s.flushs = flushBroken
	s.roomLocked()
	s.outbox = outbox{}
	s.mu.Unlock()
	s.ws.hurry()
}

// failure is why a session ends whose client could not be written to.
func failure(err error) CloseReason {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ReasonSlowClient
	}
	return ReasonTransportError
}
