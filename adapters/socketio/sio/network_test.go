package sio_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
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

// network is a listener whose connections are pipes in memory.
type network struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newNetwork() *network {
	return &network{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{} }

func (n *network) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.conns <- server:
		return &line{Conn: client, closed: make(chan struct{})}, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// line is the client's end of a connection, which may stall: nothing more comes through it, and nobody
// is told.
type line struct {
	net.Conn
	stalled atomic.Bool
	closed  chan struct{}
	once    sync.Once
}

func (l *line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if l.stalled.Load() {
		<-l.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (l *line) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Conn.Close()
}

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

// client is a WebSocket client, written with another library than the server. It answers pings by
// itself, so that what a test sees are Socket.IO's packets.
type client struct {
	t        *testing.T
	conn     *websocket.Conn
	messages chan string
	write    sync.Mutex
	// mute keeps the client from answering pings.
	mute atomic.Bool
}

// dial opens an Engine.IO session, and connects to no namespace.
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

// logbook is what the server logged.
type logbook struct {
	mu  sync.Mutex
	all strings.Builder
}

var _ io.Writer = (*logbook)(nil)

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// diary notes what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// read returns what has been noted since the last call, once nothing more can happen without time passing.
func (d *diary) read() []string {
	synctest.Wait()
	return d.take()
}

// take is read outside of a synctest bubble: what has been noted by now.
func (d *diary) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines
	d.lines = nil
	return lines
}
