package engineio_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

// pollLinger is how long Shutdown waits for a poll.
const pollLinger = 2 * time.Second

func TestShutdown(t *testing.T) {
	bubble(t, "sessions are closed one after another over the time of spread", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		clients := make([]*wsClient, 5)
		ended := make(chan time.Duration, len(clients))
		start := time.Now()
		for i := range clients {
			ws := k.openWebSocket()
			clients[i] = ws
			go func() {
				assert.Equal(t, closeFrame(""), ws.read())
				ended <- time.Since(start)
				ws.close()
			}()
		}
		assert.NoError(t, k.engine.Shutdown(t.Context(), 10*time.Second))
		assert.Equal(t, 8*time.Second, time.Since(start))
		for i := range clients {
			assert.Equal(t, time.Duration(i)*2*time.Second, <-ended)
			assert.Equal(t, only(engineio.ReasonForcedClose), clients[i].peer.ended())
		}
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "Shutdown waits until a polling client has been told", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		c.peer.send("last words")
		done := make(chan struct{})
		go func() {
			defer close(done)
			assert.NoError(t, k.engine.Shutdown(context.Background(), 0))
			assert.Zero(t, k.engine.Len())
		}()
		time.Sleep(pollLinger - time.Nanosecond)
		select {
		case <-done:
			assert.Fail(t, "Shutdown did not wait")
		default:
		}
		assert.Equal(t, "4last words", c.poll())
		assert.Equal(t, "1", c.poll())
		synctest.Wait()
		<-done
	})

	for client, before := range map[string]func(*pollingClient){
		"a client that does not poll":              func(*pollingClient) {},
		"a client whose session was closed before": func(c *pollingClient) { c.peer.session.Close() },
		"a client that has much to fetch first": func(c *pollingClient) {
			for range 1000 {
				c.peer.send("last words")
			}
		},
		"a client in the middle of an upgrade": func(c *pollingClient) { c.probe() },
	} {
		bubble(t, client+" holds up Shutdown for two seconds only", func(t *testing.T) {
			k := inMemory(t, engineio.Config{})
			c := k.handshake()
			before(c)
			start := time.Now()
			assert.NoError(t, k.engine.Shutdown(t.Context(), 0))
			assert.Equal(t, pollLinger, time.Since(start))
			assert.Equal(t, only(engineio.ReasonForcedClose), c.peer.ended())
		})
	}

	bubble(t, "each poll gives its client two seconds more", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		c.peer.send("last words")
		polled := make(chan string, 2)
		go func() {
			for range 2 {
				time.Sleep(pollLinger - time.Millisecond)
				polled <- c.poll()
			}
		}()
		start := time.Now()
		assert.NoError(t, k.engine.Shutdown(t.Context(), 0))
		assert.Equal(t, 2*(pollLinger-time.Millisecond), time.Since(start))
		assert.Equal(t, []string{"4last words", "1"}, []string{<-polled, <-polled})
	})

	bubble(t, "a WriteTimeout below two seconds also bounds the wait for a poll", func(t *testing.T) {
		k := inMemory(t, engineio.Config{WriteTimeout: time.Second})
		k.handshake()
		start := time.Now()
		assert.NoError(t, k.engine.Shutdown(t.Context(), 0))
		assert.Equal(t, time.Second, time.Since(start))
	})

	bubble(t, "Shutdown waits for receivers to return", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, func(p *peer) {
			p.onClosed = func() { time.Sleep(5 * time.Second) }
		})
		ws := k.openWebSocket()
		ws.close()
		synctest.Wait()
		start := time.Now()
		assert.NoError(t, k.engine.Shutdown(t.Context(), 0))
		assert.Equal(t, 5*time.Second, time.Since(start))
	})

	bubble(t, "new sessions are refused, on either transport, before anything is asked of the application", func(t *testing.T) {
		asked := false
		k := inMemory(t, engineio.Config{Authorize: func(*http.Request) (any, error) { asked = true; return nil, nil }})
		assert.NoError(t, k.engine.Shutdown(t.Context(), time.Hour))
		refused := answerOf(http.StatusServiceUnavailable, `{"code":3,"message":"Server is shutting down"}`)
		assert.Equal(t, refused, summary(k.get(polling)))
		_, got := k.tryUpgrade(webSocket)
		assert.Equal(t, refused, summary(got))
		assert.False(t, asked)
	})

	bubble(t, "when the context ends the rest is cut off", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws, c := k.openWebSocket(), k.handshake()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		start := time.Now()
		assert.ErrorIs(t, k.engine.Shutdown(ctx, time.Minute), context.DeadlineExceeded)
		assert.Equal(t, 2*time.Second, time.Since(start))
		assert.Zero(t, k.engine.Len())
		assert.Len(t, ws.peer.ended(), 1)
		assert.Len(t, c.peer.ended(), 1)
	})

	bubble(t, "a receiver that never returns does not hold up Shutdown for ever", func(t *testing.T) {
		release := make(chan struct{})
		k := inMemory(t, engineio.Config{}, func(p *peer) {
			p.onClosed = func() { <-release }
		})
		k.openWebSocket()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		start := time.Now()
		go func() {
			time.Sleep(time.Minute)
			close(release)
		}()
		assert.ErrorIs(t, k.engine.Shutdown(ctx, 0), context.DeadlineExceeded)
		assert.LessOrEqual(t, time.Since(start), 5*time.Second)
		<-release
	})

	bubble(t, "Shutdown may be called twice", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws := k.openWebSocket()
		done := make(chan error)
		for range 2 {
			go func() { done <- k.engine.Shutdown(context.Background(), 0) }()
		}
		assert.Equal(t, closeFrame(""), ws.read())
		ws.close()
		assert.NoError(t, <-done)
		assert.NoError(t, <-done)
		assert.Len(t, ws.peer.ended(), 1)
	})
}
