package engineio_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

func TestSlow_WebSocket(t *testing.T) {
	bubble(t, "a client that takes nothing for WriteTimeout is let go", func(t *testing.T) {
		k := inMemory(t, engineio.Config{WriteTimeout: 3 * time.Second})
		ws := k.openWebSocket()
		ws.peer.send("unread")
		time.Sleep(3*time.Second - time.Nanosecond)
		synctest.Wait()
		assert.Empty(t, ws.peer.ended())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonSlowClient), ws.peer.ended())
		assert.Equal(t, hungUp, ws.read())
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "a client that goes on reading in time gets everything in order", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{}).openWebSocket()
		ws.peer.send("1")
		synctest.Wait()
		ws.peer.send("2")
		time.Sleep(writeTimeout - time.Second)
		ws.peer.send("3")
		assert.Equal(t, []string{"41", "42", "43"}, ws.readText(3))
		synctest.Wait()
		assert.Empty(t, ws.peer.ended())
	})

	bubble(t, "a client that takes each MiB in time gets a message of many", func(t *testing.T) {
		const size = 3 << 20
		ws := inMemory(t, engineio.Config{}).openWebSocket()
		ws.peer.send(strings.Repeat("x", size))
		got := 0
		for part := make([]byte, size/2); got < size; {
			time.Sleep(writeTimeout - time.Second)
			n, err := io.ReadFull(ws.conn, part)
			got += n
			if !assert.NoError(t, err, "after %d bytes", got) {
				return
			}
		}
		assert.Empty(t, ws.peer.ended())
	})

	bubble(t, "a client whose outbox is full is let go at once", func(t *testing.T) {
		k := inMemory(t, engineio.Config{OutboxBytes: 1000})
		ws := k.openWebSocket()
		ws.peer.send("being written")
		synctest.Wait()
		ws.peer.send(strings.Repeat("x", 990))
		synctest.Wait()
		assert.Empty(t, ws.peer.ended())
		ws.peer.send("one too many")
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonSlowClient), ws.peer.ended())
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "volatile packets give way first: those in the outbox, then the new ones", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{OutboxBytes: 1000}).openWebSocket()
		ws.peer.send("being written")
		synctest.Wait()
		ws.peer.session.Send(textPacket("volatile " + strings.Repeat("v", 600)).Volatile())
		ws.peer.send("kept " + strings.Repeat("k", 600))
		ws.peer.session.Send(textPacket(strings.Repeat("w", 600)).Volatile())
		ws.peer.send("last")
		assert.Equal(t, []string{"4being written", "4kept " + strings.Repeat("k", 600), "4last"}, ws.readText(3))
		synctest.Wait()
		assert.Empty(t, ws.peer.ended())
	})

	bubble(t, "a message larger than the outbox leaves if nothing is before it", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{OutboxBytes: 1000}).openWebSocket()
		large := strings.Repeat("x", 5000)
		ws.peer.send(large)
		assert.Equal(t, text("4"+large), ws.read())
	})
}

func TestSlow_Polling(t *testing.T) {
	bubble(t, "a client that does not poll is let go when its outbox is full", func(t *testing.T) {
		k := inMemory(t, engineio.Config{OutboxBytes: 1000})
		c := k.handshake()
		c.peer.send(strings.Repeat("x", 900))
		c.peer.send(strings.Repeat("y", 200))
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonSlowClient), c.peer.ended())
		assert.Zero(t, k.engine.Len())
	})

	for sentence, length := range map[string]int{"a short": 10, "a long": 100_000} {
		bubble(t, sentence+" payload that its client does not take for WriteTimeout ends the session", func(t *testing.T) {
			k := inMemory(t, engineio.Config{})
			c := k.handshake()
			conn := k.dial()
			_, err := io.WriteString(conn, "GET "+c.target+" HTTP/1.1\r\nHost: x\r\n\r\n")
			assert.NoError(t, err)
			c.peer.send(strings.Repeat("x", length))
			time.Sleep(writeTimeout - time.Nanosecond)
			synctest.Wait()
			assert.Empty(t, c.peer.ended())
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			assert.Equal(t, only(engineio.ReasonSlowClient), c.peer.ended())
			assert.Zero(t, k.engine.Len())
		})
	}

	bubble(t, "a payload of many MiB may take WriteTimeout for each of them", func(t *testing.T) {
		const size = 3 << 20
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		conn := k.dial()
		_, err := io.WriteString(conn, "GET "+c.target+" HTTP/1.1\r\nHost: x\r\n\r\n")
		assert.NoError(t, err)
		c.peer.send(strings.Repeat("x", size))
		got := 0
		for part := make([]byte, size/2); got < size; {
			time.Sleep(writeTimeout - time.Second)
			n, err := io.ReadFull(conn, part)
			got += n
			if !assert.NoError(t, err, "after %d bytes", got) {
				return
			}
		}
		assert.Empty(t, c.peer.ended())
	})

	bubble(t, "a poll that breaks off while it is answered ends the session", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		conn := c.kit.dial()
		_, err := io.WriteString(conn, "GET "+c.target+" HTTP/1.1\r\nHost: x\r\n\r\n")
		assert.NoError(t, err)
		c.peer.send("into the void")
		synctest.Wait()
		_ = conn.Close()
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
	})

	for sentence, headers := range map[string]string{
		"a body that stops arriving": "Content-Length: 100\r\n\r\n4hel",
		"a body in chunks":           "Transfer-Encoding: chunked\r\n\r\n4\r\n4hel\r\n",
	} {
		bubble(t, sentence+" is given up after ten seconds, with the session", func(t *testing.T) {
			c := inMemory(t, engineio.Config{}).handshake()
			status, took := c.stalledPost(c.target, headers)
			assert.Equal(t, http.StatusBadRequest, status)
			assert.Equal(t, 10*time.Second, took)
			synctest.Wait()
			assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
			assert.Empty(t, c.peer.got())
		})
	}

	bubble(t, "the refusal of a request does not wait longer for its body", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		status, took := c.stalledPost(polling+"&sid=unknown", "Content-Length: 100\r\n\r\n4hel")
		assert.Equal(t, http.StatusBadRequest, status)
		assert.LessOrEqual(t, took, 10*time.Second)
	})

	bubble(t, "a long poll outlives the time-outs of the http.Server", func(t *testing.T) {
		k := inMemoryBehind(t, &http.Server{ReadTimeout: 3 * time.Second, WriteTimeout: 3 * time.Second}, engineio.Config{})
		c := k.handshake()
		start := time.Now()
		assert.Equal(t, "2", c.poll())
		assert.Equal(t, interval, time.Since(start))
		c.post("3")
		assert.Empty(t, c.peer.ended())
	})
}

// stalledPost sends the beginning of a request, and returns the status of the answer and how long it took.
func (c *pollingClient) stalledPost(target, rest string) (status int, took time.Duration) {
	start := time.Now()
	conn := c.kit.dial()
	go func() { _, _ = io.WriteString(conn, "POST "+target+" HTTP/1.1\r\nHost: x\r\n"+rest) }()
	got := c.kit.read(conn, nil)
	assert.NoError(c.kit.t, got.err)
	return got.status, time.Since(start)
}
