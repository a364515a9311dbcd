package sio_test

import (
	"context"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

// window is how long a socket may be absent in the tests.
const window = 2 * time.Minute

var recovering = sio.Config{Recovery: window}

// identity is what a client needs to recover: its socket's id and pid, the offset of the last event that it got, and a
// token for middleware that asks for one.
type identity struct{ sid, pid, offset, token string }

// payload is what socket.io-client adds to CONNECT; without an offset before its first event.
func (i identity) payload() string {
	if i.offset == "" {
		return fmt.Sprintf(`{"pid":"%s","token":"%s"}`, i.pid, i.token)
	}
	return fmt.Sprintf(`{"pid":"%s","offset":"%s","token":"%s"}`, i.pid, i.offset, i.token)
}

var (
	accepted = regexp.MustCompile(`^40(/[^,]+,)?\{"sid":"([A-Za-z0-9_-]{20})","pid":"([A-Za-z0-9_-]{20})"\}$`)
	offsets  = regexp.MustCompile(`^(.+),"([0-9a-z]{8,})"\]$`)
)

// accepted reads the answer to CONNECT; prefix is "" or "/nsp,".
func (c *client) accepted(prefix string) identity {
	c.t.Helper()
	m := c.next()
	found := accepted.FindStringSubmatch(m)
	require.NotNil(c.t, found, "not an answer to CONNECT with a pid: %s", m)
	require.Equal(c.t, prefix, found[1])
	return identity{sid: found[2], pid: found[3]}
}

// event reads an event, which must be the given one apart from the offset at its end, and returns the offset.
func (c *client) event(want string) (offset string) {
	c.t.Helper()
	m := c.next()
	found := offsets.FindStringSubmatch(m)
	require.NotNil(c.t, found, "not an event with an offset: %s", m)
	require.Equal(c.t, want, found[1]+"]")
	return found[2]
}

// join opens a connection and connects to "/".
func (w *world) join() (*client, identity) {
	w.t.Helper()
	c := w.open()
	c.send("40")
	return c, c.accepted("")
}

// resume opens a connection and asks to recover in "/". It returns the answer to CONNECT.
func (w *world) resume(i identity) (*client, identity) {
	w.t.Helper()
	c := w.open()
	c.send("40" + i.payload())
	return c, c.accepted("")
}

// recovers makes the client recover, which must succeed.
func (w *world) recovers(i identity) *client {
	w.t.Helper()
	c, got := w.resume(i)
	require.Equal(w.t, identity{sid: i.sid, pid: i.pid}, got)
	return c
}

// doesNotRecover makes the client try to recover; it must be connected anew.
func (w *world) doesNotRecover(i identity) *client {
	w.t.Helper()
	c, got := w.resume(i)
	require.NotEqual(w.t, i.sid, got.sid)
	require.NotEqual(w.t, i.pid, got.pid)
	return c
}

// recoverable serves with recovery, and keeps the sockets that have connected, anew or again.
func recoverable(t *testing.T, setup ...func(*sio.Server)) (*world, *crowd) {
	t.Helper()
	all := &crowd{}
	w := serve(t, recovering, func(io *sio.Server) {
		all.gather(io.Of("/"))
		echo(io.Of("/"))
		for _, f := range setup {
			f(io)
		}
	})
	return w, all
}

func emit(t *testing.T, s *sio.Socket, args ...any) {
	t.Helper()
	assert.NoError(t, s.Emit("e", args...))
}

// history notes in the diary what happens to the sockets of "/".
func history(d *diary) func(*sio.Server) {
	return func(io *sio.Server) {
		n := io.Of("/")
		n.Use(func(_ context.Context, c *sio.Connect) error {
			d.add("asked, recovering %v", c.Recovering)
			return nil
		})
		n.OnDisconnect(func(_ context.Context, _ *sio.Socket, reason sio.Reason) { d.add("%s", reason) })
	}
}
