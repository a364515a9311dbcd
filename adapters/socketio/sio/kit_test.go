package sio_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

// patience is how long a client waits for a packet before the test fails. In a synctest bubble it
// costs nothing.
const patience = 20 * time.Second

// world is a server and the network between it and its clients. The times in it are those of the
// synctest bubble it was made in.
type world struct {
	*network
	t    *testing.T
	io   *sio.Server
	logs *logbook
}

// serve starts a server. Handlers must be registered by setup, before anybody connects.
func serve(t *testing.T, config sio.Config, setup func(*sio.Server)) *world {
	t.Helper()
	w := &world{network: newNetwork(), t: t, logs: &logbook{}}
	config.Logger = slog.New(slog.NewTextHandler(w.logs, nil))
	w.io = sio.NewServer(config)
	setup(w.io)
	server := &http.Server{Handler: w.io, ReadHeaderTimeout: time.Minute}
	served := make(chan error)
	go func() { served <- server.Serve(w.network) }()
	t.Cleanup(func() {
		assert.NoError(t, w.io.Shutdown(context.Background(), 0))
		assert.NoError(t, server.Close())
		assert.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return w
}

// client is a WebSocket client that uses another WebSocket library than the server. It answers pings by itself, so that
// tests see only Socket.IO's packets.
type client struct {
	t        *testing.T
	conn     *websocket.Conn
	messages chan string
	write    sync.Mutex
	// mute keeps the client from answering pings.
	mute atomic.Bool
}

// open opens an Engine.IO session and connects to no namespace.
func (w *world) open() *client {
	w.t.Helper()
	dialer := websocket.Dialer{NetDialContext: w.dial, WriteBufferSize: 64 << 10}
	conn, resp, err := dialer.Dial("ws://parley/socket.io/?EIO=4&transport=websocket", nil)
	require.NoError(w.t, err)
	_ = resp.Body.Close()
	c := &client{t: w.t, conn: conn, messages: make(chan string, 4096)}
	conn.SetCloseHandler(func(int, string) error { return nil }) // a reader that answers could wait for the server
	go c.read()
	w.t.Cleanup(func() { _ = conn.Close() })
	require.Regexp(w.t, `^0\{"sid":"[^"]+",`, c.next())
	return c
}

// connect opens a session and connects to "/".
func (w *world) connect() *client {
	w.t.Helper()
	c := w.open()
	c.send("40")
	c.connected("")
	return c
}

func (c *client) read() {
	defer close(c.messages)
	defer c.conn.Close()
	for {
		kind, data, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		switch {
		case kind == websocket.BinaryMessage:
			c.messages <- fmt.Sprintf("<%x>", data)
		case string(data) == "2":
			if !c.mute.Load() {
				c.send("3")
			}
		default:
			c.messages <- string(data)
		}
	}
}

// send sends each message as a text frame of its own. The connection may be gone.
func (c *client) send(messages ...string) {
	c.write.Lock()
	defer c.write.Unlock()
	for _, m := range messages {
		_ = c.conn.WriteMessage(websocket.TextMessage, []byte(m))
	}
}

func (c *client) sendBinary(data ...byte) {
	c.write.Lock()
	defer c.write.Unlock()
	_ = c.conn.WriteMessage(websocket.BinaryMessage, data)
}

// sendAtOnce sends text frames in a single write, so that the server reads them in one go.
func (c *client) sendAtOnce(messages ...string) {
	var out []byte
	for _, m := range messages {
		require.Less(c.t, len(m), 126)
		out = append(out, 0x81, 0x80|byte(len(m)), 0, 0, 0, 0) // a mask of zeros changes nothing
		out = append(out, m...)
	}
	c.write.Lock()
	defer c.write.Unlock()
	_, err := c.conn.UnderlyingConn().Write(out)
	require.NoError(c.t, err)
}

// next returns the next message: text as it is, bytes in hexadecimal between angle brackets.
func (c *client) next() string {
	c.t.Helper()
	select {
	case m, ok := <-c.messages:
		require.True(c.t, ok, "the connection was closed")
		return m
	case <-time.After(patience):
		require.Fail(c.t, "nothing has come")
		return ""
	}
}

func (c *client) expect(messages ...string) {
	c.t.Helper()
	for _, m := range messages {
		require.Equal(c.t, m, c.next())
	}
}

// rest waits until the server has closed the connection, and returns what came before.
func (c *client) rest() []string {
	c.t.Helper()
	deadline := time.After(patience)
	for all := []string(nil); ; {
		select {
		case m, ok := <-c.messages:
			if !ok {
				return all
			}
			all = append(all, m)
		case <-deadline:
			require.Fail(c.t, "the connection was not closed")
		}
	}
}

// expectClose waits until the server has closed the connection, with nothing sent before.
func (c *client) expectClose() {
	c.t.Helper()
	require.Empty(c.t, c.rest())
}

// quiet asserts that nothing has come, and that the connection is open.
func (c *client) quiet() {
	c.t.Helper()
	synctest.Wait()
	select {
	case m, ok := <-c.messages:
		require.True(c.t, ok, "the connection was closed")
		require.Fail(c.t, "unexpected message", m)
	default:
	}
}

// connected reads the answer to CONNECT and returns the socket's id; prefix is "" or "/nsp,".
func (c *client) connected(prefix string) string {
	c.t.Helper()
	m := c.next()
	found := regexp.MustCompile(`^40` + prefix + `\{"sid":"([A-Za-z0-9_-]{20})"\}$`).FindStringSubmatch(m)
	require.NotNil(c.t, found, "not an answer to CONNECT: %s", m)
	return found[1]
}

// drop closes the client's connection without a goodbye.
func (c *client) drop() {
	_ = c.conn.Close()
	synctest.Wait()
}

// stall makes the client's connection stall.
func (c *client) stall() { c.conn.UnderlyingConn().(*line).stalled.Store(true) }

// bubble runs a subtest on a fake clock.
func bubble(t *testing.T, sentence string, f func(t *testing.T)) {
	t.Helper()
	t.Run(sentence, func(t *testing.T) { synctest.Test(t, f) })
}

// echo makes the namespace answer the event "echo" with its arguments.
func echo(n *sio.Namespace) {
	n.On("echo", func(_ context.Context, e *sio.Event) {
		args := make([]any, len(e.Args))
		for i := range args {
			args[i] = new(any)
		}
		if err := e.Bind(args...); err != nil {
			panic(err)
		}
		if err := e.Ack(args...); err != nil {
			panic(err)
		}
	})
}
