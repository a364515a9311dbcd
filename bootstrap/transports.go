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

// transports serves Socket.IO clients of all versions.
type transports struct {
	current *socketio.Server
	// legacy is nil if LEGACY_CLIENTS is off; current then refuses old clients.
	legacy *legacy.Server
}

// ServeHTTP tells clients apart by the protocol version in the query, EIO. As in the reference server, a request without
// one means version 3.
func (t *transports) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t.legacy != nil {
		if version := r.URL.Query().Get("EIO"); version == "3" || version == "" {
			t.legacy.ServeHTTP(w, r)
			return
		}
	}
	t.current.ServeHTTP(w, r)
}

// Len returns the number of open connections of both kinds.
func (t *transports) Len() int {
	n := t.current.Len()
	if t.legacy != nil {
		n += t.legacy.Len()
	}
	return n
}

// Shutdown closes all connections, spread evenly over the given time, those of old and new clients in parallel. It returns
// when nothing runs any more, or with an error when the context ends.
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
