package sio_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing/synctest"

	"parley/adapters/socketio/sio"
)

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

// watch notes in the diary what happens to the namespace's sockets, and makes "kick" end the sender's.
func watch(d *diary, n *sio.Namespace) {
	name := n.Name()
	n.OnConnect(func(context.Context, *sio.Socket) { d.add("%s: connect", name) })
	n.OnDisconnect(func(_ context.Context, s *sio.Socket, reason sio.Reason) {
		_ = s.Emit("gone") // must say nothing
		s.Disconnect()
		d.add("%s: %s", name, reason)
	})
	n.On("kick", func(_ context.Context, e *sio.Event) {
		e.Socket.Disconnect()
		e.Socket.Disconnect()
	})
	n.On("close", func(_ context.Context, e *sio.Event) { e.Socket.Close() })
	n.OnUnhandled(func(_ context.Context, e *sio.Event) { d.add("%s: event %s", name, e.Name) })
}

func watched(d *diary, names ...string) func(*sio.Server) {
	return func(io *sio.Server) {
		for _, name := range names {
			watch(d, io.Of(name))
			echo(io.Of(name))
		}
	}
}
