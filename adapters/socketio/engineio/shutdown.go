package engineio

import (
	"context"
	"time"
)

// pollLinger is how long a server that is shutting down waits for the next poll of a session, to tell its client. A
// client that is still there polls again as soon as it has its answer.
const pollLinger = 2 * time.Second

// lingerLocked returns how long a session that is closing may take to tell its client.
func (s *Session) lingerLocked() time.Duration {
	if s.ws == nil && s.server.sessions.isClosed() {
		return min(pollLinger, s.server.config.WriteTimeout)
	}
	return s.server.config.WriteTimeout
}

// hasten shortens the time left to a session that began to close before the server did.
func (s *Session) hasten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if linger := s.lingerLocked(); s.state == stateClosing && s.heartbeat.left(s) > linger {
		s.heartbeat.set(s, linger)
	}
}

// Shutdown refuses new sessions, closes the open ones one after another over the time of spread, and waits until all
// are over: a client that does not read can take WriteTimeout longer, and one that does not poll two seconds. Clients
// see their transport close, and then reconnect by themselves. If the context ends, the remaining sessions are cut off
// and the context's error is returned; only receivers that still do not return are left behind.
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

// pause waits for d if there is more to do. It returns false if the context has ended.
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
