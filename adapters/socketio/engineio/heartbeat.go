package engineio

import "time"

// heartbeat is a session's only timer. In turn it waits for the time to ping, for the pong, for what
// is enqueued to leave when the session closes, and for a late poll after it. The session's mutex
// guards it.
type heartbeat struct {
	timer *time.Timer
	// due is when the timer means to fire, by the session's server clock: a call that comes earlier
	// was already on its way when the timer was set anew.
	due          time.Duration
	awaitingPong bool
}

// set makes the timer fire after d.
func (h *heartbeat) set(s *Session, d time.Duration) {
	h.due = time.Since(s.server.started) + d
	if h.timer == nil {
		h.timer = time.AfterFunc(d, s.beat)
		return
	}
	h.timer.Reset(d)
}

// left is how long it is until the timer fires.
func (h *heartbeat) left(s *Session) time.Duration { return h.due - time.Since(s.server.started) }

func (h *heartbeat) stop() {
	if h.timer != nil {
		h.timer.Stop()
	}
}

// beat is called by the timer.
func (s *Session) beat() {
	s.mu.Lock()
	h := &s.heartbeat
	if time.Since(s.server.started) < h.due {
		s.mu.Unlock()
		return
	}
	if s.state == stateClosed {
		if s.bye {
			s.server.sessions.forget(s)
		}
		s.mu.Unlock()
		return
	}
	if s.state == stateClosing || h.awaitingPong {
		s.endLocked(ReasonPingTimeout)
		s.mu.Unlock()
		return
	}
	s.pingLocked()
	dirty := s.dirtyLocked()
	s.mu.Unlock()
	if dirty != nil {
		s.server.flusher.push(s)
	}
}

// pingLocked enqueues a ping and waits for its pong.
func (s *Session) pingLocked() {
	s.heartbeat.awaitingPong = true
	s.heartbeat.set(s, s.server.config.PingTimeout)
	s.retention.ping()
	s.outbox.add(pingPacket)
}

// pong notes the client's answer to a ping. One that was not asked for changes nothing: a client
// cannot put off the next ping for ever.
func (s *Session) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateOpen && s.heartbeat.awaitingPong {
		s.heartbeat.awaitingPong = false
		s.retention.pong()
		s.heartbeat.set(s, s.server.config.PingInterval)
	}
}
