package legacy

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Shutdown refuses new sessions, closes the open ones one after another, spread over the given time, and waits
// until all have ended. Clients see their transport close and reconnect by themselves. When ctx ends, the
// remaining sessions are cut off and ctx's error is returned.
func (srv *Server) Shutdown(ctx context.Context, spread time.Duration) error {
	defer srv.cancel()
	open := srv.stop()
	for i, s := range open {
		s.close()
		if !pause(ctx, spread/time.Duration(len(open)), i+1 < len(open)) {
			break
		}
	}
	for _, s := range open {
		s.close()
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
		srv.cancel()
		for _, s := range srv.stop() {
			s.end()
		}
		<-done
		return ctx.Err()
	}
}

// stop refuses new sessions and returns those that are open.
func (srv *Server) stop() []*session {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.closing = true
	return slices.Collect(maps.Values(srv.sessions))
}

// pause waits for d if there is more to do, and reports false if ctx has ended.
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
