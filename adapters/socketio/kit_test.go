package socketio_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
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
	"go.uber.org/mock/gomock"

	"parley/adapters/socketio"
	"parley/domain"
	"parley/mocks"
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
	n.conns <- server
	return client, nil
}

// world is a server before a mocked application, in a synctest bubble.
type world struct {
	*network
	t    *testing.T
	chat *mocks.MockChat
	hub  *socketio.Hub
	io   *socketio.Server
	logs *logbook
}

func serve(t *testing.T, config socketio.Config) *world {
	t.Helper()
	w := &world{
		network: &network{conns: make(chan net.Conn), closed: make(chan struct{})},
		t:       t, chat: mocks.NewMockChat(gomock.NewController(t)), logs: &logbook{},
	}
	log := slog.New(slog.NewTextHandler(w.logs, nil))
	w.hub = socketio.NewHub(false, log)
	w.io = socketio.NewServer(config, w.chat, w.hub, log)
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

// client is a WebSocket client. It answers pings by itself.
type client struct {
	t        *testing.T
	conn     *websocket.Conn
	messages chan string
	write    sync.Mutex
	// mute keeps the client from answering pings, deaf from reading on.
	mute, deaf atomic.Bool
	undeaf     chan struct{}
	// id is the session's, once connected.
	id domain.SessionID
}

// open opens an Engine.IO session; target is what follows the usual query, header goes along.
func (w *world) open(target string, header http.Header) *client {
	w.t.Helper()
	dialer := websocket.Dialer{NetDialContext: w.dial}
	conn, resp, err := dialer.Dial("ws://parley/socket.io/?EIO=4&transport=websocket"+target, header)
	require.NoError(w.t, err)
	_ = resp.Body.Close()
	conn.SetCloseHandler(func(int, string) error { return nil })
	c := &client{t: w.t, conn: conn, messages: make(chan string, 4096), undeaf: make(chan struct{})}
	go c.read()
	w.t.Cleanup(func() {
		close(c.undeaf)
		_ = conn.Close()
	})
	require.Regexp(w.t, `^0\{`, c.next())
	return c
}

// connect opens a session for a token that the application accepts, and that may end at any time.
func (w *world) connect() *client {
	w.t.Helper()
	w.chat.EXPECT().Connect(gomock.Any(), gomock.Any(), "good").Return(domain.Identity{User: "alice"}, nil)
	w.chat.EXPECT().Disconnect(gomock.Any(), gomock.Any(), gomock.Any()).MaxTimes(1)
	c := w.open("", nil)
	c.send(`40{"token":"good"}`)
	c.connected()
	return c
}

// connected reads the answer to CONNECT, and waits until the session is known to the hub.
func (c *client) connected() {
	c.t.Helper()
	m := c.next()
	found := regexp.MustCompile(`^40\{"sid":"([A-Za-z0-9_-]{20})"\}$`).FindStringSubmatch(m)
	require.NotNil(c.t, found, "not an answer to CONNECT: %s", m)
	c.id = domain.SessionID(found[1])
	synctest.Wait()
}

func (c *client) read() {
	defer close(c.messages)
	defer c.conn.Close()
	for {
		_, data, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		if c.deaf.Load() {
			<-c.undeaf
		}
		if string(data) == "2" {
			if !c.mute.Load() {
				c.send("3")
			}
			continue
		}
		c.messages <- string(data)
	}
}

func (c *client) send(messages ...string) {
	c.write.Lock()
	defer c.write.Unlock()
	for _, m := range messages {
		_ = c.conn.WriteMessage(websocket.TextMessage, []byte(m)) // the connection may be gone
	}
}

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

// handshake makes a handshake request over the transport, without a network, and returns the answer.
func (w *world) handshake(transport, target string, header http.Header) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, "/socket.io/?EIO=4&transport="+transport+target, nil)
	for name, values := range header {
		request.Header[name] = values
	}
	if transport == "websocket" {
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket",
			"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		} {
			request.Header.Set(name, value)
		}
	}
	answer := httptest.NewRecorder()
	w.io.ServeHTTP(answer, request)
	return answer
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

// bubble runs a subtest on a fake clock.
func bubble(t *testing.T, sentence string, f func(t *testing.T)) {
	t.Helper()
	t.Run(sentence, func(t *testing.T) { synctest.Test(t, f) })
}
