package engineio

import "time"

// heartbeat is a session's only timer. It waits for the time to ping, then for the pong; when the session is closing,
// for what is enqueued to leave; and after a goodbye, for a late poll. The session's mutex guards it.
type heartbeat struct {
	timer *time.Timer
	// due is when the timer is meant to fire, as the time since Server.started. A call that comes earlier was already
	// on its way when the timer was reset.
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

// left returns the time until the timer fires.
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

// pingLocked enqueues a ping and sets the timer to wait for the pong. The caller calls dirtyLocked.
func (s *Session) pingLocked() {
	s.heartbeat.awaitingPong = true
	s.heartbeat.set(s, s.server.config.PingTimeout)
	s.retention.ping()
	s.outbox.add(pingPacket)
}

// pong handles the client's answer to a ping. A pong that was not asked for changes nothing: otherwise a client could
// put off the next ping for ever.
func (s *Session) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateOpen && s.heartbeat.awaitingPong {
		s.heartbeat.awaitingPong = false
		s.retention.pong()
		s.heartbeat.set(s, s.server.config.PingInterval)
	}
}
