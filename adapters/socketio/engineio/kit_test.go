package engineio_test

import (
	"context"
	"fmt"
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

	"parley/adapters/socketio/engineio"
)

// How long tests on the real clock wait for something, and how often they check.
const (
	patience = time.Minute
	tick     = time.Millisecond
)

// The defaults of engineio.Config that tests wait for.
const (
	interval     = 25 * time.Second // PingInterval
	timeout      = 20 * time.Second // PingTimeout
	writeTimeout = 10 * time.Second
)

// bubble runs a subtest on a fake clock, which stands still while any goroutine has something to do.
func bubble(t *testing.T, sentence string, f func(t *testing.T)) {
	t.Helper()
	t.Run(sentence, func(t *testing.T) { synctest.Test(t, f) })
}

// kit is an engine behind a real http.Server, with a way to reach it. When the test ends, it shuts the engine down and
// checks that no session is left and that nothing was logged but what the test has taken.
type kit struct {
	t      testing.TB
	engine *engineio.Server
	http   *http.Server
	dialer func() (net.Conn, error)
	logs   logs
	// patience is how long clients wait for anything at all.
	patience time.Duration
	// settle waits, in a bubble, until the server has done what it can.
	settle func()
	// dress, if set, wraps the server's side of future connections.
	dress func(net.Conn) net.Conn

	mu    sync.Mutex
	peers []*peer
	conns []net.Conn
}

// inMemory serves over net.Pipe, for bubbles. Pipes have no buffer and no descriptor: a client that does not read
// blocks the server's writes at once, and goroutines read and write.
func inMemory(t testing.TB, config engineio.Config, setup ...func(*peer)) *kit {
	t.Helper()
	return inMemoryBehind(t, &http.Server{}, config, setup...)
}

func inMemoryBehind(t testing.TB, h *http.Server, config engineio.Config, setup ...func(*peer)) *kit {
	t.Helper()
	pipes := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	k := &kit{t: t, http: h, dialer: pipes.dial, patience: time.Hour, settle: synctest.Wait}
	return k.serve(pipes, config, setup)
}

// onLoopback serves over TCP, on the real clock: the engine writes to descriptors without waiting.
func onLoopback(t testing.TB, config engineio.Config, setup ...func(*peer)) *kit {
	t.Helper()
	k, listener := loopback(t)
	return k.serve(listener, config, setup)
}

// loopback returns a kit that does not serve yet. The server's socket buffers are small, so that a client that does not
// read soon blocks its writes.
func loopback(t testing.TB) (*kit, net.Listener) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	k := &kit{t: t, http: &http.Server{}, patience: patience, settle: func() {}}
	k.dialer = func() (net.Conn, error) { return net.Dial("tcp", listener.Addr().String()) }
	k.dress = func(conn net.Conn) net.Conn {
		assert.NoError(t, conn.(*net.TCPConn).SetWriteBuffer(8<<10))
		return conn
	}
	return k, listener
}

func (k *kit) serve(l net.Listener, config engineio.Config, setup []func(*peer)) *kit {
	config.Logger = slog.New(slog.NewTextHandler(&k.logs, nil))
	k.engine = engineio.NewServer(config, func(s *engineio.Session, h *engineio.Handshake) engineio.Receiver {
		p := &peer{session: s, handshake: h, over: make(chan struct{})}
		k.mu.Lock()
		k.peers = append(k.peers, p)
		k.mu.Unlock()
		for _, f := range setup {
			f(p)
		}
		if p.refused {
			return nil
		}
		return p
	})
	if l != nil {
		k.http.Handler, k.http.ErrorLog = k.engine, log.New(&k.logs, "", 0)
		go func() { _ = k.http.Serve(dressing{l, k}) }()
	}
	k.t.Cleanup(k.stop)
	return k
}

func (k *kit) stop() {
	k.mu.Lock()
	for _, c := range k.conns {
		_ = c.Close()
	}
	k.mu.Unlock()
	if k.dialer == nil {
		// Nobody is there to hear a farewell.
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = k.engine.Shutdown(ctx, 0)
	}
	assert.NoError(k.t, k.engine.Shutdown(context.Background(), 0))
	assert.Zero(k.t, k.engine.Len(), "sessions left after Shutdown")
	if k.http != nil {
		assert.NoError(k.t, k.http.Close())
	}
	assert.Empty(k.t, k.logs.take())
}

func (k *kit) dial() net.Conn {
	k.t.Helper()
	conn, err := k.dialer()
	require.NoError(k.t, err)
	require.NoError(k.t, conn.SetReadDeadline(time.Now().Add(k.patience)))
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conns = append(k.conns, conn)
	return conn
}

func (k *kit) dialContext(context.Context, string, string) (net.Conn, error) { return k.dial(), nil }

// peer returns the i-th session's side of the server, counted from 0.
func (k *kit) peer(i int) *peer {
	k.t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	require.Greater(k.t, len(k.peers), i, "sessions accepted")
	return k.peers[i]
}

// peer is the application's side of one session. It records what it is told.
type peer struct {
	session   *engineio.Session
	handshake *engineio.Handshake
	refused   bool
	// onReceive and onClosed are called after that is recorded.
	onReceive func(data []byte, binary bool)
	onClosed  func()
	// over is closed when Closed was called.
	over chan struct{}

	mu      sync.Mutex
	heard   []string
	reasons []engineio.CloseReason
}

func (p *peer) Receive(data []byte, binary bool) {
	p.mu.Lock()
	note := string(data)
	if binary {
		note = fmt.Sprintf("binary % x", data)
	}
	p.heard = append(p.heard, note)
	p.mu.Unlock()
	if p.onReceive != nil {
		p.onReceive(data, binary)
	}
}

func (p *peer) Closed(reason engineio.CloseReason) {
	p.mu.Lock()
	p.reasons = append(p.reasons, reason)
	p.mu.Unlock()
	close(p.over)
	if p.onClosed != nil {
		p.onClosed()
	}
}

// wait waits for the session's end and returns the reason.
func (p *peer) wait(t testing.TB) engineio.CloseReason {
	t.Helper()
	select {
	case <-p.over:
	case <-time.After(patience):
		require.Fail(t, "the session is not over")
	}
	return p.ended()[0]
}

// got returns the messages so far, binary ones as "binary" and hex.
func (p *peer) got() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.heard...)
}

// ended returns the reasons given to Closed: exactly one once the session is over.
func (p *peer) ended() []engineio.CloseReason {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]engineio.CloseReason{}, p.reasons...)
}

func (p *peer) send(text string) { p.session.Send(textPacket(text)) }

func textPacket(text string) *engineio.Packet {
	return engineio.TextPacket(append(make([]byte, engineio.Headroom), text...))
}

func binaryPacket(data ...byte) *engineio.Packet {
	return engineio.BinaryPacket(append(make([]byte, engineio.Headroom), data...))
}

func only(reason engineio.CloseReason) []engineio.CloseReason { return []engineio.CloseReason{reason} }

// logs keeps what the engine and net/http log.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// take returns what has been logged, and forgets it.
func (l *logs) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

func fixedID(id string) func(*http.Request) (string, error) {
	return func(*http.Request) (string, error) { return id, nil }
}

// unserved returns a kit without a listener.
func unserved(t *testing.T, config engineio.Config) *kit {
	return (&kit{t: t}).serve(nil, config, nil)
}
