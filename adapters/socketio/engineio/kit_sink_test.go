package engineio_test

import (
	"net"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

// crowd is sessions on connections that take everything at once: each write is a real write(2), to
// /dev/null. What remains to be measured is the engine.
type crowd struct {
	sessions []*engineio.Session
	null     uintptr
	// expected is how many writes are still to come; at the last one done gets a value.
	expected atomic.Int64
	done     chan struct{}
}

func newCrowd(tb testing.TB, n int) *crowd {
	tb.Helper()
	return newCrowdOf(tb, n, engineio.Config{})
}

// newCrowdOf is newCrowd with clients that offer permessage-deflate.
func newCrowdOf(tb testing.TB, n int, config engineio.Config) *crowd {
	tb.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = null.Close() })
	k := &kit{t: tb}
	c := &crowd{null: null.Fd(), done: make(chan struct{}, 1)}
	k.serve(nil, config, []func(*peer){func(p *peer) { c.sessions = append(c.sessions, p.session) }})
	c.expected.Store(int64(n)) // the open packets
	for range n {
		conn := &sink{crowd: c, closed: make(chan struct{})}
		r := upgradeRequest()
		r.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate")
		k.engine.ServeHTTP(hijackable{httptest.NewRecorder(), conn}, r)
	}
	<-c.done
	return c
}

// multicast sends the packet to all, and returns when it has been written to each.
func (c *crowd) multicast(p *engineio.Packet) {
	c.expected.Store(int64(len(c.sessions)))
	engineio.Multicast(func(yield func(*engineio.Session) bool) {
		for _, s := range c.sessions {
			if !yield(s) {
				return
			}
		}
	}, p)
	<-c.done
}

// sink is a connection with a descriptor that never blocks, on which nothing ever comes.
type sink struct {
	crowd  *crowd
	closed chan struct{}
	once   sync.Once
}

func (s *sink) SyscallConn() (syscall.RawConn, error) { return (*rawSink)(s), nil }

func (s *sink) Read([]byte) (int, error)         { <-s.closed; return 0, net.ErrClosed }
func (s *sink) Write(p []byte) (int, error)      { return len(p), nil }
func (s *sink) Close() error                     { s.once.Do(func() { close(s.closed) }); return nil }
func (s *sink) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (s *sink) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (s *sink) SetDeadline(time.Time) error      { return nil }
func (s *sink) SetReadDeadline(time.Time) error  { return nil }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }

// rawSink is the sink's descriptor.
type rawSink sink

func (s *rawSink) Control(f func(fd uintptr)) error { f(s.crowd.null); return nil }

func (s *rawSink) Read(func(fd uintptr) bool) error { <-s.closed; return net.ErrClosed }

func (s *rawSink) Write(attempt func(fd uintptr) bool) error {
	attempt(s.crowd.null)
	if s.crowd.expected.Add(-1) == 0 {
		s.crowd.done <- struct{}{}
	}
	return nil
}
