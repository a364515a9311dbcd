package engineio

// Retention: a session remembers packets that are marked with Retain until the client has proved that it got them, so
// that another session can carry on where a lost connection broke off. The proof is a pong: it answers a ping that came
// after the packets in the same ordered stream. A session that sends much is pinged early, so that it need not remember
// much.

const (
	// provePackets and proveBytes are how much a session sends before it asks for proof.
	provePackets = 512
	proveBytes   = 1 << 20
	// retainBytes bounds what one session remembers. Most of these bytes are shared with other sessions.
	retainBytes = 16 << 20
	// retainAtMost times Config.Retain is the most packets that are remembered: after the session's end, when no pong
	// will come, and by an open session together with those handed over by another.
	retainAtMost = 4
)

// Retain marks the packet as one to remember. It must be called before the packet is first sent. The meaning of channel
// and offset is up to the sender: see Session.Resume. A packet without an offset belongs to the one before it. A packet
// that is sent to the same session twice has the same offset twice; the two cannot be told apart.
func (p *Packet) Retain(channel, offset string) *Packet {
	p.retained, p.channel, p.offset = true, channel, offset
	return p
}

// Mark names a packet that is retained without an offset, for Session.Got. The packet then does not belong to the one
// before it. mark must not be 0.
func (p *Packet) Mark(mark uint64) *Packet {
	p.mark = mark
	return p
}

// Got notes that the client has shown, by some other means than a pong, that it has the packet with that mark on the
// channel: the packet need not be remembered any longer.
func (s *Session) Got(channel string, mark uint64) {
	if mark == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retention.got(channel, mark)
}

// CanResume reports whether everything sent on the channel after the offset is still remembered, and no session carries
// on the channel yet.
func (s *Session) CanResume(channel, offset string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.missedLocked(channel, offset)
	return ok
}

// Resume lets the session into carry on a channel of s, which must have ended: into gets the packets, then everything
// that was sent to s on the channel after the offset, except volatile packets, and from then on what is sent to s. If
// not all of that is remembered, if s is open or into itself, or if a session carries on already, Resume does nothing
// and returns false.
//
// A client that has got nothing on the channel from s may give any offset: it gets everything.
//
// into must not be a session that s carries on: s is locked while into is.
func (s *Session) Resume(into *Session, channel, offset string, packets ...*Packet) bool {
	if into == s {
		return false
	}
	dirty, ok := s.handOver(into, channel, offset, packets)
	if dirty != nil {
		dirty.server.flusher.push(dirty)
	}
	return ok
}

func (s *Session) handOver(into *Session, channel, offset string, packets []*Packet) (dirty *Session, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	missed, ok := s.missedLocked(channel, offset)
	if !ok || s.state == stateOpen {
		return nil, false
	}
	if s.retention.successors == nil {
		s.retention.successors = make(map[string]*Session)
	}
	s.retention.successors[channel] = into
	s.retention.clear(channel)
	// Both sessions are locked, so that nothing is sent in between: the one that hands over first, then its successor.
	return into.takeOverChannel(channel, offset, packets, missed), true
}

// takeOverChannel enqueues the packets, then those missed, which the older session remembered after the offset. The
// outbox's limit does not apply: they were accepted before.
func (s *Session) takeOverChannel(channel, offset string, packets, missed []*Packet) (dirty *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retention.clear(channel)
	s.retention.prove(channel, offset)
	open := s.state == stateOpen && s.flushing != flushBroken
	if open {
		s.outbox.add(packets...)
		s.outbox.addBeyond(missed...)
	}
	s.retention.handedOver(len(missed))
	s.retainLocked(missed)
	if !open {
		return nil
	}
	return s.dirtyLocked()
}

// Forget drops what the session remembers of the channel: what is sent on it from now on has nothing to do with what
// was sent before.
func (s *Session) Forget(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retention.clear(channel)
}

// missedLocked returns what Resume would hand over.
func (s *Session) missedLocked(channel, offset string) (missed []*Packet, ok bool) {
	if s.server.config.Retain == 0 || s.retention.successors[channel] != nil {
		return nil, false
	}
	return s.retention.missed(channel, offset)
}

// retainLocked remembers the packets that are marked. If the client then has much to prove, it is pinged.
func (s *Session) retainLocked(packets []*Packet) {
	limit := s.server.config.Retain
	if limit == 0 {
		return
	}
	s.retention.add(limit, s.state != stateOpen, packets)
	if s.state == stateOpen && s.flushing != flushBroken && !s.heartbeat.awaitingPong && s.retention.proofDue(limit) {
		s.pingLocked()
	}
}

// successorLocked returns the session that carries on the packets' channel, if any.
func (s *Session) successorLocked(packets []*Packet) *Session {
	return s.retention.successors[packets[0].channel]
}
