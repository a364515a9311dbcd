package engineio

// Retention: packets that were marked with Retain are remembered by the session until the client has
// proved that it got them, so that another session can carry on where a lost connection broke off. The
// proof is the pong: it answers a ping that stood behind them in the same ordered stream. No pong is
// waited for longer than a few hundred packets, so that a busy session remembers no more than that.

// channelOffset is the last place of a channel that the client has surely got.
type channelOffset struct{ channel, offset string }

// retention is what a session remembers. The session's mutex guards it.
type retention struct {
	packets []*Packet
	bytes   int
	// base counts the packets that are not remembered any more; the first of packets is number base.
	base int
	// pinged is the number of the first packet behind the last ping.
	pinged int
	// gap is the number up to which packets were forgotten unconfirmed, because there were too many;
	// 0 if there is no gap. Until the client has confirmed those, nothing can be resumed.
	gap int
	// confirmed has one entry per channel.
	confirmed []channelOffset
	// successors are the sessions that have taken over a channel after this one's end.
	successors map[string]*Session
}

const (
	// retainBytes bounds what is remembered, in multiples of Config.OutboxBytes. The bytes are shared
	// with other sessions, so this is seldom what it costs.
	retainBytes = 16
	// retainAfterEnd is how many times Config.Retain may be remembered after the session's end, when
	// there is no pong to wait for.
	retainAfterEnd = 8
)

// Retain marks the packet as one to remember, before it is sent for the first time. channel and offset
// are the sender's: see Session.Resume. A packet without an offset belongs to the one before it.
func (p *Packet) Retain(channel, offset string) *Packet {
	p.retained, p.channel, p.offset = true, channel, offset
	return p
}

// add remembers the packets that are marked, up to max of them and maxBytes.
func (r *retention) add(max, maxBytes int, packets []*Packet) {
	for _, p := range packets {
		if p.retained {
			r.packets = append(r.packets, p)
			r.bytes += len(p.frame)
		}
	}
	if len(r.packets) > max || r.bytes > maxBytes {
		r.gap = r.base + len(r.packets)
		r.forget(len(r.packets))
	}
}

// forget takes the first n packets for confirmed.
func (r *retention) forget(n int) {
	for _, p := range r.packets[:n] {
		r.bytes -= len(p.frame)
		if p.offset != "" {
			r.confirm(p.channel, p.offset)
		}
	}
	r.base += n
	left := copy(r.packets, r.packets[n:])
	clear(r.packets[left:])
	r.packets = r.packets[:left]
	if left == 0 && cap(r.packets) > keepCapacity {
		r.packets = nil
	}
}

// unpinged is how many packets stand behind the last ping.
func (r *retention) unpinged() int { return r.base + len(r.packets) - max(r.pinged, r.base) }

func (r *retention) ping() { r.pinged = r.base + len(r.packets) }

// pong forgets what stood before the last ping.
func (r *retention) pong() {
	if r.pinged >= r.gap {
		r.gap = 0
	}
	r.forget(max(r.pinged-r.base, 0))
}

func (r *retention) confirm(channel, offset string) {
	for i := range r.confirmed {
		if r.confirmed[i].channel == channel {
			r.confirmed[i].offset = offset
			return
		}
	}
	r.confirmed = append(r.confirmed, channelOffset{channel, offset})
}

// missed returns the channel's packets after the offset. ok is false if some of them are forgotten, or
// if nobody can tell. Volatile packets are of their moment and are not returned.
func (r *retention) missed(channel, offset string) (missed []*Packet, ok bool) {
	if r.gap > 0 {
		return nil, false
	}
	var found, sure bool
	for _, c := range r.confirmed {
		if c.channel == channel {
			sure, found = true, c.offset == offset
		}
	}
	skip := false
	for _, p := range r.packets {
		if p.channel != channel {
			continue
		}
		if p.offset != "" {
			skip = p.volatile
			if p.offset == offset {
				missed, found, skip = missed[:0], true, true
			}
		}
		if !skip {
			missed = append(missed, p)
		}
	}
	// Nothing was ever confirmed, and the offset is none of this session's: the client has got
	// nothing here and tells where it stood in another life, or nowhere.
	return missed, found || !sure
}

// CanResume reports whether everything after the offset on the channel is still remembered.
func (s *Session) CanResume(channel, offset string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.retention.missed(channel, offset)
	return ok
}

// Resume lets the session into, which is open, carry on a channel of s, which is over: it gets
// everything that was sent to s on the channel after the offset, also what is sent from now on, and
// then the packets. If that is not all remembered, nothing happens and it reports false.
func (s *Session) Resume(into *Session, channel, offset string, packets ...*Packet) bool {
	s.mu.Lock()
	missed, ok := s.retention.missed(channel, offset)
	if !ok || s.state == stateOpen {
		s.mu.Unlock()
		return false
	}
	if s.retention.successors == nil {
		s.retention.successors = make(map[string]*Session)
	}
	s.retention.successors[channel] = into
	// Both locks, so that nothing is sent in between: always that of the older session first.
	dirty := into.enqueueAll(append(missed, packets...))
	s.mu.Unlock()
	if dirty != nil {
		dirty.server.flusher.push(dirty)
	}
	return true
}

// enqueueAll enqueues packets that were accepted before, whatever the outbox's limit: there are as
// many as were remembered.
func (s *Session) enqueueAll(packets []*Packet) (dirty *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateOpen {
		s.outbox.add(0, packets...)
	}
	s.retainLocked(packets)
	if s.state != stateOpen {
		return nil
	}
	return s.dirtyLocked()
}

// retainLocked remembers the packets. A session whose client proves little asks for proof.
func (s *Session) retainLocked(packets []*Packet) {
	config := &s.server.config
	if config.Retain == 0 {
		return
	}
	most := config.Retain
	if s.state != stateOpen {
		most *= retainAfterEnd
	}
	s.retention.add(most, retainBytes*config.OutboxBytes, packets)
	if s.state == stateOpen && s.retention.unpinged() > config.Retain/4 && !s.heartbeat.awaitingPong {
		s.pingLocked()
	}
}

// successor returns the session that has taken over the packets' channel, if any.
func (s *Session) successorLocked(packets []*Packet) *Session {
	if len(s.retention.successors) == 0 || len(packets) == 0 {
		return nil
	}
	return s.retention.successors[packets[0].channel]
}
