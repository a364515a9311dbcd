package netpoll_test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio/netpoll"
)

// patience bounds waits for what happens at once, unless it fails.
const patience = 20 * time.Second

// pair returns the two ends of a TCP connection.
func pair(t *testing.T) (server, client *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	accepted, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = dialed.Close() })
	require.NoError(t, dialed.SetDeadline(time.Now().Add(patience)))
	return accepted.(*net.TCPConn), dialed.(*net.TCPConn)
}

// detached returns a connection taken out of package net, and its client. It is closed when the test ends.
func detached(t *testing.T, p *netpoll.Poller) (*netpoll.Conn, *net.TCPConn) {
	t.Helper()
	server, client := pair(t)
	c, err := p.Detach(server)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, client
}

// watched returns the reader of a detached connection, and its client.
func watched(t *testing.T) (*reader, *net.TCPConn) {
	t.Helper()
	c, client := detached(t, new(netpoll.Poller))
	r := newReader(c)
	require.NoError(t, c.Watch(r))
	return r, client
}

// reader is a handler that passes on what it is told, for read.
type reader struct {
	conn *netpoll.Conn
	told chan bool // what Ready was told

	text strings.Builder
	err  error // the error that ended the last read
}

func (r *reader) Ready(ended bool) { r.told <- ended }

// read waits until the handler is told, reads until there is nothing left, and returns everything read so far.
func (r *reader) read(t *testing.T) (text string, ended bool) {
	t.Helper()
	select {
	case ended = <-r.told:
	case <-time.After(patience):
		require.Fail(t, "the handler is not told")
	}
	buf := make([]byte, 8)
	for {
		n, err := r.conn.Read(buf)
		r.text.Write(buf[:n])
		if err != nil {
			r.err = err
			return r.text.String(), ended
		}
	}
}

func newReader(c *netpoll.Conn) *reader { return &reader{conn: c, told: make(chan bool, 1024)} }

// closer is a handler that closes the connection as soon as something comes.
type closer struct{ conn *netpoll.Conn }

func (c closer) Ready(bool) { c.conn.Close() }

// echo is a handler that writes back what it reads, while others may close the connection.
type echo struct {
	conn *netpoll.Conn
	mu   sync.Mutex
}

func (e *echo) Ready(bool) {
	go func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		buf := make([]byte, 64)
		for {
			n, err := e.conn.Read(buf)
			if err != nil {
				return
			}
			_, _ = e.conn.Write(buf[:n])
		}
	}()
}
