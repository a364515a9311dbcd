package netpoll_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio/netpoll"
)

func TestConn_Read(t *testing.T) {
	t.Run("the handler is told at once of what came before the connection is watched", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		_, _ = io.WriteString(client, "early")
		r := newReader(c)
		require.NoError(t, c.Watch(r))
		text, ended := r.read(t)
		assert.Equal(t, "early", text)
		assert.False(t, ended)
		require.ErrorIs(t, r.err, netpoll.ErrWouldBlock)
	})

	t.Run("the handler is told of what comes later, each time that all has been read", func(t *testing.T) {
		r, client := watched(t)
		for _, want := range []string{"one", "onetwo", "onetwothree and more than a buffer"} {
			_, _ = io.WriteString(client, want[r.text.Len():])
			text, ended := r.read(t)
			assert.Equal(t, want, text)
			assert.False(t, ended)
		}
	})

	t.Run("the handler is told of an end after the last bytes, with them or after them", func(t *testing.T) {
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

	t.Run("urgent data, at which a read stops short, does not hide what comes after it", func(t *testing.T) {
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
		r, client := watched(t)
		require.NoError(t, client.SetLinger(0))
		require.NoError(t, client.Close())
		_, ended := r.read(t)
		assert.True(t, ended)
		require.ErrorIs(t, r.err, syscall.ECONNRESET)
	})
}

func TestConn_Write(t *testing.T) {
	t.Run("Write never waits, and Room tells when there is room again", func(t *testing.T) {
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
		case <-room: // it reports an earlier moment
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
		r, client := watched(t)
		c := r.conn
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

	t.Run("a write to a client that is gone fails and raises no signal", func(t *testing.T) {
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
	t.Run("Close tells the handler, whose reads fail, and whoever waits for room", func(t *testing.T) {
		r, client := watched(t)
		c := r.conn
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

	t.Run("Close may be called by the handler", func(t *testing.T) {
		c, client := detached(t, new(netpoll.Poller))
		require.NoError(t, c.Watch(closer{c}))
		_, _ = io.WriteString(client, "x")
		_, err := io.ReadAll(client)
		assert.True(t, err == nil || errors.Is(err, syscall.ECONNRESET), "%v", err)
	})
}
