package engineio

// Do calls f on another goroutine, after everything given to Do before, and never at the same time as a method of the
// receiver. f is not called if the session has ended by then.
func (s *Session) Do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return
	}
	s.turns = append(s.turns, f)
	if len(s.turns) == 1 {
		s.server.running.Go(s.takeTurns)
	}
}

// takeTurns calls the functions until none is left. The one that is running stays in the queue, so that Do starts no
// second goroutine.
func (s *Session) takeTurns() {
	for more := true; more; {
		s.takeTurn()
		s.mu.Lock()
		s.turns[0] = nil
		s.turns = s.turns[1:]
		if more = len(s.turns) > 0; !more {
			s.turns = nil
		}
		s.mu.Unlock()
	}
}

func (s *Session) takeTurn() {
	s.inbound.Lock()
	defer s.inbound.Unlock()
	defer s.recoverPanic()
	s.mu.Lock()
	f, open := s.turns[0], s.state == stateOpen
	s.mu.Unlock()
	if open {
		f()
	}
}
