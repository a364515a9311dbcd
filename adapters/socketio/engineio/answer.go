package engineio

// Answer enqueues packets that the client has asked for. They do not count against the outbox's limit: an answer may be
// large, and packets sent after it must not suffer for that. Instead, answers have a limit of their own of the same
// size. While they exceed it, no more of the client's messages are handled, so that a client that asks without reading
// gets one answer too many at most. Answers must not be volatile. Those marked with Packet.Retain are retained as by
// Send.
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
	if s.state != stateOpen || s.flushing == flushBroken {
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

// pollingCredit times OutboxBytes is how much the answers to a polling client may take up. It may send many messages in
// one request, and not poll for the answers until that request is over.
const pollingCredit = 16

// awaitRoom waits while answers exceed their limit: until they have left, or the session is no longer open.
// WriteTimeout ends a session whose client reads nothing. A polling client is not waited for; its session ends when the
// answers exceed pollingCredit. The caller holds inbound.
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

// signalRoomLocked wakes awaitRoom, because the outbox is being emptied or the session is no longer open.
func (s *Session) signalRoomLocked() {
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
}

// takeLocked moves the contents of the outbox to dst.
func (s *Session) takeLocked(dst []*Packet) []*Packet {
	s.signalRoomLocked()
	return s.outbox.take(dst)
}
