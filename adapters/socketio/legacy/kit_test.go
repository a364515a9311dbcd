package legacy_test

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/legacy"
)

const (
	pingInterval = 25 * time.Second
	pingTimeout  = 60 * time.Second
	home         = "https://app.example.test"

	polling   = "/socket.io/?EIO=3&transport=polling"
	webSocket = "/socket.io/?EIO=3&transport=websocket"
)

// bubble runs a subtest on a fake clock that stands still while anyone has something to do.
func bubble(t *testing.T, sentence string, f func(t *testing.T)) {
	t.Helper()
	t.Run(sentence, func(t *testing.T) { synctest.Test(t, f) })
}

// kit is a server over pipes, which have no buffer, so that a client that does not read blocks the server's writes at
// once. When the test ends, kit shuts the server down and checks that nothing is left of any session.
type kit struct {
	t      *testing.T
	server *legacy.Server
	hub    *legacy.Hub
	chat   *chat
	pipes  *pipeListener
	client *http.Client
	logs   logs
}

func newKit(t *testing.T, changes ...func(*legacy.Config)) *kit {
	t.Helper()
	config := legacy.Config{
		PingInterval: pingInterval, PingTimeout: pingTimeout, MaxPayload: 100_000, OutboxBytes: 10_000,
		AllowOrigin: func(origin string) bool { return origin == home },
	}
	for _, change := range changes {
		change(&config)
	}
	k := &kit{t: t, chat: &chat{}, pipes: &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}}
	logger := slog.New(slog.NewTextHandler(&k.logs, nil))
	k.hub = legacy.NewHub(logger)
	k.server = legacy.NewServer(config, k.chat, k.hub, logger)
	k.client = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return k.pipes.dial() },
	}}
	h := &http.Server{Handler: k.server, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = h.Serve(k.pipes) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		assert.NoError(t, k.server.Shutdown(ctx, 0))
		assert.Zero(t, k.server.Len(), "sessions are left")
		assert.NoError(t, h.Close())
		assert.Empty(t, k.chat.open(), "sessions were never disconnected")
		assert.Empty(t, k.logs.take())
	})
	return k
}

// answer is what came for a request.
type answer struct {
	status int
	body   string
	header http.Header
}

// request sends a request; headers are names and values in turn.
func (k *kit) request(ctx context.Context, method, target, body string, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://parley.test"+target, strings.NewReader(body))
	require.NoError(k.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := k.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, string(text), response.Header}, err
}

// do is request for one that is answered.
func (k *kit) do(method, target, body string, headers ...string) answer {
	k.t.Helper()
	a, err := k.request(k.t.Context(), method, target, body, headers...)
	require.NoError(k.t, err)
	return a
}

// logs keeps what the server logs.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// take returns what was logged and forgets it.
func (l *logs) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

var errListenerClosed = errors.New("listener closed")

func (l *pipeListener) dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, errListenerClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, errListenerClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }
