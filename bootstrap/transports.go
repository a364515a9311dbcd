package bootstrap

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"parley/adapters/socketio"
	"parley/adapters/socketio/legacy"
)

// transports is the server for Socket.IO clients of all versions.
type transports struct {
	current *socketio.Server
	// legacy is nil unless LEGACY_CLIENTS is on: then current refuses old clients.
	legacy *legacy.Server
}

// ServeHTTP tells clients apart by the protocol version in the query; as in the reference server, one
// that names none means 3.
func (t *transports) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t.legacy != nil {
		if version := r.URL.Query().Get("EIO"); version == "3" || version == "" {
			t.legacy.ServeHTTP(w, r)
			return
		}
	}
	t.current.ServeHTTP(w, r)
}

// Len is the number of open connections.
func (t *transports) Len() int {
	n := t.current.Len()
	if t.legacy != nil {
		n += t.legacy.Len()
	}
	return n
}

// Shutdown closes all connections over the time of spread, old and new clients at the same time.
func (t *transports) Shutdown(ctx context.Context, spread time.Duration) error {
	var old error
	var both sync.WaitGroup
	if t.legacy != nil {
		both.Go(func() { old = t.legacy.Shutdown(ctx, spread) })
	}
	err := t.current.Shutdown(ctx, spread)
	both.Wait()
	return errors.Join(err, old)
}
