package engineio

// hangUp ends the session with a close frame in place of what is enqueued.
func (s *Session) hangUp(farewell *Packet, reason CloseReason) {
	s.mu.Lock()
	dirty := s.hangUpLocked(farewell, reason)
	s.mu.Unlock()
	if dirty != nil {
		s.server.flusher.push(s)
	}
}

func (s *Session) hangUpLocked(farewell *Packet, reason CloseReason) (dirty *Session) {
	if s.state == stateOpen {
		s.outbox.drop()
	}
	return s.closeLocked(farewell, reason)
}

// quit ends the session because of what the client sent. A client on a WebSocket gets a close frame without a code, as
// from the reference server.
func (s *Session) quit(reason CloseReason) {
	s.mu.Lock()
	dirty := s.quitLocked(reason)
	s.mu.Unlock()
	if dirty != nil {
		s.server.flusher.push(s)
	}
}

func (s *Session) quitLocked(reason CloseReason) (dirty *Session) {
	if s.ws == nil {
		s.endLocked(reason)
		return nil
	}
	return s.hangUpLocked(plainClose, reason)
}

// goodbye ends the session because the client asked for it.
func (s *Session) goodbye() {
	s.mu.Lock()
	s.bye = s.state == stateOpen && s.ws == nil
	dirty := s.quitLocked(ReasonTransportClose)
	s.mu.Unlock()
	if dirty != nil {
		s.server.flusher.push(s)
	}
}
