package engineio

// Answer enqueues packets that the client asked for. They are not held against the outbox's limit: an
// answer may be large, and what is sent behind it must not suffer for it. Instead, answers have a limit
// of the same size of their own, over which no more of the client's messages are handled until they have
// left: a client that asks without reading has one answer too many at most. Answers are not volatile.
// Those marked with Packet.Retain are retained like what Send takes.
func (s *Session) Answer(packets ...*Packet) {
	if dirty := s.enqueueAnswer(packets); dirty != nil {
		dirty.server.flusher.push(dirty)
	}
}

func (s *Session) enqueueAnswer(packets []*Packet) (dirty *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(packets) == 0 {
		return nil
	}
	if s.state != stateOpen || s.flushs == flushBroken {
		if next := s.successorLocked(packets); next != nil {
			return next.enqueueAnswer(packets)
		}
		s.retainLocked(packets)
		return nil
	}
	s.outbox.addBeyond(packets...)
	s.retainLocked(packets)
	return s.dirtyLocked()
}

// pollingCredit is how many times OutboxBytes the answers to a polling client may take. Its messages come
// many in one request, and it may poll for the answers only when that request is over.
const pollingCredit = 16

// awaitRoom waits while an answer has put the outbox over its limit. It ends when that has left, or with
// the session, which WriteTimeout ends if the client reads nothing.
func (s *Session) awaitRoom() {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.server.config.OutboxBytes
	if s.ws == nil {
		if s.outbox.beyond/pollingCredit > limit {
			s.endLocked(ReasonSlowClient)
		}
		return
	}
	for s.state == stateOpen && s.outbox.beyond > limit {
		if s.room == nil {
			s.room = make(chan struct{})
		}
		room := s.room
		s.mu.Unlock()
		<-room
		s.mu.Lock()
	}
}

// roomLocked wakes awaitRoom: the outbox was emptied, or the session is not open any more.
func (s *Session) roomLocked() {
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
}

// takeLocked empties the outbox into dst.
func (s *Session) takeLocked(dst []*Packet) []*Packet {
	s.roomLocked()
	return s.outbox.take(dst)
}
