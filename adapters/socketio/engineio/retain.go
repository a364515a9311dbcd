package engineio

// Retention: packets that were marked with Retain are remembered by the session until the client has
// proved that it got them, so that another session can carry on where a lost connection broke off. The
// proof is the pong: it answers a ping that stood behind them in the same ordered stream. A session that
// sends much is pinged before its time, so that it need not remember much.

const (
	// provePackets and proveBytes are how much a session sends before it asks for proof.
	provePackets = 512
	proveBytes   = 1 << 20
	// retainBytes bounds what one session remembers. The bytes are mostly shared with other sessions.
	retainBytes = 16 << 20
	// retainAtMost is how many times Config.Retain is remembered at most: after the session's end, when
	// there is no pong to wait for, and of what another session has handed over.
	retainAtMost = 4
)

// Retain marks the packet as one to remember, before it is sent for the first time. channel and offset
// are the sender's: see Session.Resume. A packet without an offset belongs to the one before it. One that
// is sent to the same session twice has the same offset twice, and cannot be told apart.
func (p *Packet) Retain(channel, offset string) *Packet {
	p.retained, p.channel, p.offset = true, channel, offset
	return p
}

// Mark names a packet that is retained without an offset, so that Session.Got can tell it. It stands for
// itself: it does not belong to the one before it. mark is not 0.
func (p *Packet) Mark(mark uint64) *Packet {
	p.mark = mark
	return p
}

// Got notes that the client has shown, in a way of its own, that it has got the packet of that mark on the
// channel: it need not be remembered.
func (s *Session) Got(channel string, mark uint64) {
	if mark == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retention.got(channel, mark)
}

// CanResume reports whether everything after the offset on the channel is still remembered.
func (s *Session) CanResume(channel, offset string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.missedLocked(channel, offset)
	return ok
}

// Resume lets the session into carry on a channel of s, which is over: it gets the packets, then all
// that was sent to s on the channel after the offset, but for volatile packets, and then what is sent to
// s from now on. If that is not all remembered, or a session carries on already, nothing happens and it
// reports false.
//
// A client that has got nothing on the channel of s may show whatever offset: it gets everything.
func (s *Session) Resume(into *Session, channel, offset string, packets ...*Packet) bool {
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
	// Both locks, so that nothing is sent in between: always that of the older session first.
	return into.takeOverChannel(channel, offset, packets, missed), true
}

// takeOverChannel enqueues the packets, and those that an older session remembered after the offset,
// whatever the outbox's limit: they were accepted before.
func (s *Session) takeOverChannel(channel, offset string, packets, missed []*Packet) (dirty *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retention.clear(channel)
	s.retention.prove(channel, offset)
	open := s.state == stateOpen && s.flushs != flushBroken
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

// Forget drops what the session remembers of the channel: what is sent on it from now on has nothing
// to do with what was before.
func (s *Session) Forget(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retention.clear(channel)
}

func (s *Session) missedLocked(channel, offset string) (missed []*Packet, ok bool) {
	if s.server.config.Retain == 0 || s.retention.successors[channel] != nil {
		return nil, false
	}
	return s.retention.missed(channel, offset)
}

// retainLocked remembers the packets. A session whose client has much to prove asks for it.
func (s *Session) retainLocked(packets []*Packet) {
	limit := s.server.config.Retain
	if limit == 0 {
		return
	}
	s.retention.add(limit, s.state != stateOpen, packets)
	if s.state == stateOpen && s.flushs != flushBroken && !s.heartbeat.awaitingPong && s.retention.proofDue(limit) {
		s.pingLocked()
	}
}

// successorLocked returns the session that has taken over the packets' channel, if any.
func (s *Session) successorLocked(packets []*Packet) *Session {
	return s.retention.successors[packets[0].channel]
}
