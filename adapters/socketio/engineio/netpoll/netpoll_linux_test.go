package netpoll_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"parley/adapters/socketio/engineio/netpoll"
)

// patience bounds waits for what takes no time unless it has failed.
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

// detached returns a connection that is taken out of package net and closed when the test ends.
func detached(t *testing.T, p *netpoll.Poller) (*netpoll.Conn, *net.TCPConn) {
	t.Helper()
	server, client := pair(t)
	c, err := p.Detach(server)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, client
}

// reader is a handler that reads all it can whenever it is told.
type reader struct {
	conn *netpoll.Conn
	told chan bool // what Ready was told

	text strings.Builder
	err  error // that ended the last read
}

func newReader(c *netpoll.Conn) *reader { return &reader{conn: c, told: make(chan bool, 1024)} }

func (r *reader) Ready(ended bool) { r.told <- ended }

// read waits until the handler is told, reads until there is nothing, and returns all so far.
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

func TestConn_Read(t *testing.T) {
	t.Run("what came before the connection is watched is told at once", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		_, _ = io.WriteString(client, "early")
		r := newReader(c)
		require.NoError(t, c.Watch(r))
		text, ended := r.read(t)
		assert.Equal(t, "early", text)
		assert.False(t, ended)
		require.ErrorIs(t, r.err, netpoll.ErrWouldBlock)
	})

	t.Run("what comes later is told, each time that all has been read", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		r := newReader(c)
		require.NoError(t, c.Watch(r))
		for _, want := range []string{"one", "onetwo", "onetwothree and more than a buffer"} {
			_, _ = io.WriteString(client, want[r.text.Len():])
			text, ended := r.read(t)
			assert.Equal(t, want, text)
			assert.False(t, ended)
		}
	})

	t.Run("an end behind the last bytes is told with them or after them", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		_, _ = io.WriteString(client, "bye")
		require.NoError(t, client.CloseWrite())
		r := newReader(c)
		require.NoError(t, c.Watch(r))
		text, ended := r.read(t)
		for !ended {
			text, ended = r.read(t)
		}
		assert.Equal(t, "bye", text)
		require.ErrorIs(t, r.err, io.EOF)
	})

	t.Run("urgent data, at which a read stops short, does not hide what is behind it", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		_, _ = io.WriteString(client, "before")
		raw, err := client.SyscallConn()
		require.NoError(t, err)
		var sent error
		require.NoError(t, raw.Control(func(fd uintptr) {
			_, sent = syscall.SendmsgN(int(fd), []byte("!"), nil, nil, syscall.MSG_OOB)
		}))
		require.NoError(t, sent)
		_, _ = io.WriteString(client, "after")
		r := newReader(c)
		require.NoError(t, c.Watch(r))
		text, ended := r.read(t)
		assert.Equal(t, "beforeafter", text)
		assert.True(t, ended, "else a reader may stop at a short read")
	})

	t.Run("a reset is an end", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		r := newReader(c)
		require.NoError(t, c.Watch(r))
		require.NoError(t, client.SetLinger(0))
		require.NoError(t, client.Close())
		_, ended := r.read(t)
		assert.True(t, ended)
		require.ErrorIs(t, r.err, syscall.ECONNRESET)
	})
}

func TestConn_Write(t *testing.T) {
	t.Run("never waits, and tells when there is room again", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		require.NoError(t, c.Watch(newReader(c)))
		room := c.Room()
		assert.Equal(t, room, c.Room(), "there is one channel")
		sent := 0
		chunk := make([]byte, 1<<20)
		var err error
		for err == nil {
			var n int
			n, err = c.Write(chunk)
			sent += n
		}
		require.ErrorIs(t, err, netpoll.ErrWouldBlock)
		select {
		case <-room: // it was told of an earlier moment
		default:
		}
		got := make(chan error, 1)
		go func() { _, err := io.CopyN(io.Discard, client, int64(sent)); got <- err }()
		select {
		case <-room:
		case <-time.After(patience):
			require.Fail(t, "nobody says that there is room")
		}
		require.NoError(t, <-got)
		_, err = c.Write([]byte("more"))
		require.NoError(t, err)
	})

	t.Run("after CloseWrite the client sees the end and may go on sending", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		r := newReader(c)
		require.NoError(t, c.Watch(r))
		_, err := c.Write([]byte("last"))
		require.NoError(t, err)
		c.CloseWrite()
		got, err := io.ReadAll(client)
		require.NoError(t, err)
		assert.Equal(t, "last", string(got))
		_, _ = io.WriteString(client, "still here")
		text, _ := r.read(t)
		assert.Equal(t, "still here", text)
	})

	t.Run("to a client that is gone it fails and does not raise a signal", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		require.NoError(t, client.SetLinger(0))
		require.NoError(t, client.Close())
		var err error
		for err == nil {
			_, err = c.Write([]byte("x"))
		}
		assert.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE), "%v", err)
	})
}

func TestConn_Close(t *testing.T) {
	t.Run("tells the handler, whose reads fail, and who waits for room", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		r := newReader(c)
		require.NoError(t, c.Watch(r))
		room := c.Room()
		for len(room) > 0 {
			<-room
		}
		c.Close()
		c.Close()
		_, ended := r.read(t)
		assert.True(t, ended)
		require.ErrorIs(t, r.err, net.ErrClosed)
		_, err := c.Write([]byte("x"))
		require.ErrorIs(t, err, net.ErrClosed)
		<-room
		_, err = io.ReadAll(client)
		require.NoError(t, err, "the client sees an ordinary end")
		assert.Empty(t, r.told, "the handler is told once")
	})

	t.Run("after Reset the client sees a reset", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		c.Reset()
		c.Close()
		_, err := io.ReadAll(client)
		require.ErrorIs(t, err, syscall.ECONNRESET)
	})

	t.Run("a closed connection cannot be watched", func(t *testing.T) {
		c, _ := detached(t, new(netpoll.Poller))
		c.Close()
		require.ErrorIs(t, c.Watch(newReader(c)), net.ErrClosed)
	})

	t.Run("it may be called by the handler", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		require.NoError(t, c.Watch(closer{c}))
		_, _ = io.WriteString(client, "x")
		_, err := io.ReadAll(client)
		assert.True(t, err == nil || errors.Is(err, syscall.ECONNRESET), "%v", err)
	})
}

// closer closes the connection as soon as something comes.
type closer struct{ conn *netpoll.Conn }

func (c closer) Ready(bool) { c.conn.Close() }

func TestPoller(t *testing.T) {
	t.Run("its goroutine lives while there are connections, and again when others come", func(t *testing.T) {
		p := new(netpoll.Poller)
		others := goleak.IgnoreCurrent()
		for range 3 {
			a, clientA := detached(t, p)
			b, clientB := detached(t, p)
			ra, rb := newReader(a), newReader(b)
			require.NoError(t, a.Watch(ra))
			require.NoError(t, b.Watch(rb))
			_, _ = io.WriteString(clientA, "to a")
			text, _ := ra.read(t)
			assert.Equal(t, "to a", text)
			a.Close()
			_, _ = io.WriteString(clientB, "to b")
			text, _ = rb.read(t)
			assert.Equal(t, "to b", text)
			b.Close()
			for begun := time.Now(); goleak.Find(others) != nil; {
				require.Less(t, time.Since(begun), patience, "the goroutine does not end")
			}
		}
	})

	t.Run("descriptors that are used again mix nothing up", func(t *testing.T) {
		p := new(netpoll.Poller)
		var clients sync.WaitGroup
		for i := range 16 {
			clients.Go(func() {
				for round := range 50 {
					server, client := pair(t)
					c, err := p.Detach(server)
					if !assert.NoError(t, err) {
						return
					}
					e := &echo{conn: c}
					assert.NoError(t, c.Watch(e))
					text := fmt.Sprintf("%d in round %d", i, round)
					_, _ = io.WriteString(client, text)
					got := make([]byte, len(text))
					_, err = io.ReadFull(client, got)
					assert.NoError(t, err)
					assert.Equal(t, text, string(got))
					if round%2 == 0 {
						_ = client.Close()
					}
					c.Close()
					_ = client.Close()
				}
			})
		}
		clients.Wait()
	})
}

// echo writes back what it reads, while others may close the connection.
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

func TestPoller_Detach(t *testing.T) {
	t.Run("leaves other connections as they are", func(t *testing.T) {
		server, client := net.Pipe()
		_, err := new(netpoll.Poller).Detach(server)
		require.ErrorIs(t, err, errors.ErrUnsupported)
		go func() { _, _ = io.WriteString(client, "x") }()
		_, err = server.Read(make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, server.Close())
	})

	t.Run("also those that are built on one it knows: their methods may do more", func(t *testing.T) {
		server, client := pair(t)
		_, err := new(netpoll.Poller).Detach(struct{ *net.TCPConn }{server})
		require.ErrorIs(t, err, errors.ErrUnsupported)
		_, err = io.WriteString(client, "x")
		require.NoError(t, err)
		_, err = server.Read(make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, server.Close())
	})

	t.Run("fails for one that is closed", func(t *testing.T) {
		server, _ := pair(t)
		require.NoError(t, server.Close())
		_, err := new(netpoll.Poller).Detach(server)
		require.ErrorIs(t, err, net.ErrClosed)
	})
}
