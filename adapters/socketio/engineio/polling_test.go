package engineio_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

// net/http does not read the rest of a body if the connection is to be closed anyway: closing with unread bytes resets
// the connection, which may take the answer away from the client.
func TestPolling_TooLargeIsRead(t *testing.T) {
	bubble(t, "a body over the limit is read to its end before it is refused", func(t *testing.T) {
		c := inMemory(t, engineio.Config{MaxPayload: 100}).handshake()
		body := strings.NewReader(strings.Repeat("x", 100_000))
		w := httptest.NewRecorder()
		c.kit.engine.ServeHTTP(w, httptest.NewRequest(http.MethodPost, c.target, body))
		assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
		assert.Zero(t, body.Len(), "bytes not read")
	})

	bubble(t, "of an endless body over the limit only so much is read", func(t *testing.T) {
		c := inMemory(t, engineio.Config{MaxPayload: 100}).handshake()
		body := strings.NewReader(strings.Repeat("x", 4<<20))
		w := httptest.NewRecorder()
		c.kit.engine.ServeHTTP(w, httptest.NewRequest(http.MethodPost, c.target, body))
		assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
		assert.Greater(t, body.Len(), 2<<20)
	})
}

func TestPolling_Overlap(t *testing.T) {
	bubble(t, "a second poll is refused and ends the session, and the first is told", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		first := c.beginPoll()
		assert.True(t, first.waiting())
		assert.Equal(t, answerOf(400, badRequest), summary(c.beginPoll().wait()))
		assert.Equal(t, answerOf(200, "1"), summary(first.wait()))
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "a second POST is refused and ends the session, and nothing of the first is heard", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		poll := c.beginPoll()
		body, sender := io.Pipe()
		first := k.begin(http.MethodPost, c.target, body)
		_, err := io.WriteString(sender, "4hel")
		assert.NoError(t, err)
		assert.True(t, first.waiting())
		assert.Equal(t, answerOf(400, badRequest), summary(c.beginPost("4second").wait()))
		assert.Equal(t, answerOf(200, "1"), summary(poll.wait()))
		_, err = io.WriteString(sender, "lo")
		assert.NoError(t, err)
		assert.NoError(t, sender.Close())
		assert.Equal(t, answerOf(200, "ok"), summary(first.wait()))
		synctest.Wait()
		assert.Empty(t, c.peer.got())
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
	})

	bubble(t, "a poll and a POST may be in progress at the same time", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		poll := c.beginPoll()
		for range 5 {
			c.post("4up")
		}
		assert.True(t, poll.waiting())
		c.peer.send("down")
		assert.Equal(t, "4down", poll.wait().body)
		assert.Len(t, c.peer.got(), 5)
	})
}

// aborted is the context of a request whose client goes away at the very moment that something else wakes it.
type aborted struct{ context.Context }

func (aborted) Done() <-chan struct{} { return nil }

func (aborted) Err() error { return context.Canceled }

func TestPolling_Aborted(t *testing.T) {
	begin := func(c *pollingClient) (*httptest.ResponseRecorder, *sync.WaitGroup) {
		var serving sync.WaitGroup
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, c.target, nil)
		serving.Go(func() { c.kit.engine.ServeHTTP(w, r.WithContext(aborted{r.Context()})) })
		synctest.Wait()
		return w, &serving
	}

	bubble(t, "a poll aborted just when there is something to send gets nothing, and the session ends", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		w, serving := begin(c)
		c.peer.send("x")
		serving.Wait()
		assert.Empty(t, w.Body.String())
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
	})

	bubble(t, "a poll aborted just when the WebSocket has taken over does not end the session", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		ws := c.probe()
		_, serving := begin(c)
		ws.sendText("5")
		serving.Wait()
		c.peer.send("x")
		assert.Equal(t, text("4x"), ws.read())
		assert.Empty(t, c.peer.ended())
	})
}

func TestPolling_Body(t *testing.T) {
	bubble(t, "a body of exactly MaxPayload bytes is taken", func(t *testing.T) {
		c := inMemory(t, engineio.Config{MaxPayload: 1000}).handshake()
		c.post("4" + strings.Repeat("x", 999))
		assert.Equal(t, []string{strings.Repeat("x", 999)}, c.peer.got())
	})

	for sentence, body := range map[string]func() io.Reader{
		"a body of one byte more":         func() io.Reader { return strings.NewReader("4" + strings.Repeat("x", 1000)) },
		"a body ten times as large":       func() io.Reader { return strings.NewReader(strings.Repeat("4x\x1e", 3333)) },
		"a larger body of unknown length": func() io.Reader { return io.MultiReader(strings.NewReader(strings.Repeat("x", 1001))) },
	} {
		bubble(t, sentence+" is refused with 413 and no body, and the session stays open", func(t *testing.T) {
			c := inMemory(t, engineio.Config{MaxPayload: 1000}).handshake()
			assert.Equal(t, answerOf(413, ""), summary(c.kit.begin(http.MethodPost, c.target, body()).wait()))
			assert.Empty(t, c.peer.got())
			c.post("4fine")
			assert.Equal(t, []string{"fine"}, c.peer.got())
			assert.Empty(t, c.peer.ended())
		})
	}

	for _, contentType := range []string{"application/octet-stream", "application/octet-stream; charset=binary"} {
		bubble(t, "a body of type "+contentType+" is refused and ends the session", func(t *testing.T) {
			c := inMemory(t, engineio.Config{}).handshake()
			poll := c.beginPoll()
			assert.True(t, poll.waiting())
			got := c.kit.begin(http.MethodPost, c.target, strings.NewReader("4hello"), "Content-Type", contentType).wait()
			assert.Equal(t, answerOf(400, badRequest), summary(got))
			assert.Equal(t, answerOf(200, "1"), summary(poll.wait()))
			synctest.Wait()
			assert.Empty(t, c.peer.got())
			assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
		})
	}

	bubble(t, "a body of any other type is taken for text", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		for _, contentType := range []string{"text/plain;charset=UTF-8", "application/x-www-form-urlencoded", ""} {
			got := c.kit.begin(http.MethodPost, c.target, strings.NewReader("4hello"), "Content-Type", contentType).wait()
			assert.Equal(t, answerOf(200, "ok"), summary(got))
		}
		assert.Equal(t, []string{"hello", "hello", "hello"}, c.peer.got())
	})

	bubble(t, "a body that breaks off ends the session", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		conn := c.kit.dial()
		_, err := io.WriteString(conn, "POST "+c.target+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4hel")
		assert.NoError(t, err)
		synctest.Wait()
		_ = conn.Close()
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
		assert.Empty(t, c.peer.got())
	})

	bubble(t, "a body that arrives slowly but in time is taken", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		body, sender := io.Pipe()
		post := c.kit.begin(http.MethodPost, c.target, body)
		for _, piece := range []string{"4he", "l", "lo\x1e4wor", "ld"} {
			_, err := io.WriteString(sender, piece)
			assert.NoError(t, err)
			time.Sleep(2 * time.Second)
		}
		assert.NoError(t, sender.Close())
		assert.Equal(t, answerOf(200, "ok"), summary(post.wait()))
		assert.Equal(t, []string{"hello", "world"}, c.peer.got())
	})
}

func TestPolling_KeepAlive(t *testing.T) {
	bubble(t, "one connection may carry request after request, however far apart", func(t *testing.T) {
		k := inMemory(t, engineio.Config{PingInterval: time.Hour})
		c := k.handshake()
		transport := &http.Transport{DialContext: k.dialContext}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		for i := range 5 {
			go func() {
				time.Sleep(20 * time.Second) // longer than any time-out that the previous request may have left
				c.peer.send("down")
			}()
			resp, err := client.Get("http://example.test" + c.target)
			assert.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.Equal(t, "4down", string(body))
			time.Sleep(20 * time.Second)
			resp, err = client.Post("http://example.test"+c.target, "text/plain", strings.NewReader("4up"))
			assert.NoError(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			assert.NoError(t, err)
			assert.Len(t, c.peer.got(), i+1)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		assert.Len(t, k.conns, 2, "the handshake's and one other")
	})
}
