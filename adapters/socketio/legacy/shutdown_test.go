package legacy_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

func TestShutdown(t *testing.T) {
	bubble(t, "Shutdown sends what was enqueued, closes every session, and refuses new ones", func(t *testing.T) {
		k := newKit(t)
		waiting, busy, ws := k.newPolling(), k.newPolling(), k.newSocket()
		answers, _ := waiting.polls()
		for _, id := range []domain.SessionID{busy.id, ws.id} {
			k.broadcast(id, message("last words"))
		}
		done := make(chan error, 1)
		go func() { done <- k.server.Shutdown(t.Context(), 0) }()
		assert.Equal(t, "1:1", (<-answers).body)
		synctest.Wait() // busy has no request waiting, so that nobody hears when its turn has come
		packets := busy.poll()
		require.Len(t, packets, 2)
		assert.Equal(t, "last words", content(t, packets[0]))
		assert.Equal(t, "1", packets[1])
		assert.Equal(t, "last words", content(t, ws.read()))
		ws.hangsUp()
		require.NoError(t, <-done)
		assert.Zero(t, k.server.Len())
		assert.Len(t, k.chat.departures(), 3)
		a := k.do(http.MethodGet, polling, "", auth...)
		assert.Equal(t, http.StatusServiceUnavailable, a.status)
		_, err := k.dial(webSocket, auth...)
		require.EqualError(t, err, "503 Service Unavailable")
	})

	bubble(t, "Shutdown spreads the closing over the given time", func(t *testing.T) {
		k := newKit(t)
		for range 4 {
			ws := k.newSocket()
			go func() { _, _ = ws.readLast() }()
		}
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- k.server.Shutdown(t.Context(), 20*time.Second) }()
		for want := 3; want > 0; want-- {
			synctest.Wait()
			assert.Equal(t, want, k.server.Len())
			time.Sleep(5 * time.Second)
		}
		require.NoError(t, <-done)
		assert.Equal(t, 15*time.Second, time.Since(began))
	})

	bubble(t, "Shutdown lets a WebSocket client close the connection, and ignores what it says meanwhile", func(t *testing.T) {
		k := newKit(t)
		ws := k.newSocket()
		done := make(chan error, 1)
		go func() { done <- k.server.Shutdown(t.Context(), 0) }()
		synctest.Wait()
		ws.write(`42["message",{"conversationId":"lobby","content":"too late"}]`)
		synctest.Wait()
		assert.Empty(t, k.chat.contents())
		assert.Equal(t, 1, k.server.Len())
		_, err := ws.readLast()
		assert.True(t, websocket.IsCloseError(err, websocket.CloseNoStatusReceived), "%v", err)
		began := time.Now()
		require.NoError(t, <-done)
		assert.Zero(t, time.Since(began))
	})

	bubble(t, "Shutdown does not wait long for a WebSocket client that does not close", func(t *testing.T) {
		k := newKit(t)
		k.newSocket()
		began := time.Now()
		require.NoError(t, k.server.Shutdown(t.Context(), 0))
		assert.Equal(t, 5*time.Second, time.Since(began))
	})

	bubble(t, "Shutdown does not wait long for a client that does not poll", func(t *testing.T) {
		k := newKit(t)
		k.newPolling()
		began := time.Now()
		require.NoError(t, k.server.Shutdown(t.Context(), 0))
		assert.Equal(t, 5*time.Second, time.Since(began))
	})

	bubble(t, "Shutdown cuts off what is left when its context ends", func(t *testing.T) {
		k := newKit(t)
		k.newPolling()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, k.server.Shutdown(ctx, 0), context.DeadlineExceeded)
		assert.Zero(t, k.server.Len())
	})
}
