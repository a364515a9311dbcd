package sio_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestShutdown(t *testing.T) {
	bubble(t, "Shutdown closes everyone, spread over the given time, and lets nobody in", func(t *testing.T) {
		var d diary
		w := serve(t, sio.Config{}, watched(&d, "/"))
		clients := []*client{w.connect(), w.connect(), w.open()}
		d.read()
		start := time.Now()
		done := make(chan error)
		go func() { done <- w.io.Shutdown(context.Background(), 3*time.Second) }()
		synctest.Wait()
		refused := httptest.NewRecorder()
		w.io.ServeHTTP(refused, httptest.NewRequest(http.MethodGet, "/socket.io/?EIO=4&transport=polling", nil))
		assert.Equal(t, http.StatusServiceUnavailable, refused.Code)
		require.NoError(t, <-done)
		assert.Equal(t, 2*time.Second, time.Since(start).Truncate(time.Second))
		for _, c := range clients {
			c.expectClose()
		}
		assert.Equal(t, []string{"/: server shutting down", "/: server shutting down"}, d.read())
		assert.Zero(t, w.io.Len())
	})

	// A handler that does not return holds its session's turn, which is a mutex. To wait for a mutex does not let a
	// synctest bubble's clock advance, so this test uses the real clock.

	t.Run("Shutdown waits for handlers, and their context ends after it", func(t *testing.T) {
		var d diary
		release := make(chan struct{})
		contexts := make(chan context.Context, 1)
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").On("slow", func(ctx context.Context, e *sio.Event) {
				contexts <- ctx
				<-release
				d.add("done %v", ctx.Err())
			})
			io.Of("/").OnDisconnect(func(ctx context.Context, _ *sio.Socket, _ sio.Reason) { d.add("gone %v", ctx.Err()) })
		})
		c := w.connect()
		c.send(`42["slow"]`)
		ctx := <-contexts
		done := make(chan error, 1)
		go func() { done <- w.io.Shutdown(context.Background(), 0) }()
		c.expectClose()
		close(release)
		require.NoError(t, <-done)
		assert.Equal(t, []string{"done <nil>", "gone <nil>"}, d.take())
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
	})

	t.Run("Shutdown stops waiting when its context ends, and ends that of the handlers", func(t *testing.T) {
		var d diary
		started := make(chan struct{})
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").On("endless", func(ctx context.Context, _ *sio.Event) {
				close(started)
				<-ctx.Done()
				d.add("told")
			})
			io.Of("/").OnDisconnect(func(context.Context, *sio.Socket, sio.Reason) { d.add("gone") })
		})
		c := w.connect()
		c.send(`42["endless"]`)
		<-started
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- w.io.Shutdown(ctx, 0) }()
		c.expectClose()
		cancel()
		select {
		case err := <-done:
			require.ErrorIs(t, err, context.Canceled)
		case <-time.After(patience):
			require.Fail(t, "Shutdown waits for a handler that waits for Shutdown")
		}
		assert.Equal(t, []string{"told", "gone"}, d.take())
	})
}
