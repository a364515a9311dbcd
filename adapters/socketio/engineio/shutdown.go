package engineio

import (
	"context"
	"time"
)

// pollLinger is how long a server that stops waits for the next poll of a session that is to hear that.
// A client that is there polls again as soon as it has its answer.
const pollLinger = 2 * time.Second

// lingerLocked is how long a session that is closing may take to tell its client.
func (s *Session) lingerLocked() time.Duration {
	if s.ws == nil && s.server.sessions.isClosed() {
		return min(pollLinger, s.server.config.WriteTimeout)
	}
	return s.server.config.WriteTimeout
}

// hasten shortens the time of a session that began to close before the server did.
func (s *Session) hasten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if linger := s.lingerLocked(); s.state == stateClosing && s.heartbeat.left(s) > linger {
		s.heartbeat.set(s, linger)
	}
}

// Shutdown refuses new sessions, closes the open ones one after another over the time of spread, and
// waits until all is over: that takes a client that does not read WriteTimeout more, and one that does
// not poll two seconds. Clients see their transport close, after which they reconnect by
// themselves. When the context ends, what is left is cut off and the context's error returned; only
// receivers that do not return then are left behind.
func (srv *Server) Shutdown(ctx context.Context, spread time.Duration) error {
	open := srv.sessions.close()
	for i, s := range open {
		s.Close()
		if !pause(ctx, spread/time.Duration(len(open)), i+1 < len(open)) {
			break
		}
	}
	for _, s := range open {
		s.Close()
		s.hasten()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.running.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		for _, s := range open {
			s.end(ReasonForcedClose)
		}
		select {
		case <-done:
		case <-time.After(farewellTimeout):
		}
		return ctx.Err()
	}
}

// pause waits for d if there is more to do, and reports false when the context ended.
func pause(ctx context.Context, d time.Duration, more bool) bool {
	if !more || d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
