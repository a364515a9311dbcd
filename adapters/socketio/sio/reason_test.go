package sio_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio"
)

// TestReason goes through the ways in which a socket may end: the reason given to its OnDisconnect, and whether it may
// come back. The package comment has them as a table.
func TestReason(t *testing.T) {
	cases := []struct {
		name string
		end  func(w *world, c *client, s *sio.Socket)
		want sio.Reason
		// told is what the client gets before the connection ends, or while it stays open if stays is set.
		told     []string
		stays    bool
		recovers bool
	}{
		{name: "the client leaves the namespace", end: func(_ *world, c *client, _ *sio.Socket) { c.send("41") }, want: "client namespace disconnect", stays: true},
		{name: "Disconnect", end: func(_ *world, _ *client, s *sio.Socket) { s.Disconnect() }, want: "server namespace disconnect", told: []string{"41"}, stays: true},
		{name: "DisconnectAll", end: func(_ *world, _ *client, s *sio.Socket) { s.DisconnectAll() }, want: "server namespace disconnect", told: []string{"41"}},
		{name: "Close", end: func(_ *world, _ *client, s *sio.Socket) { s.Close() }, want: "forced close", recovers: true},
		{name: "a packet against the protocol", end: func(_ *world, c *client, _ *sio.Socket) { c.send("42{}") }, want: "forced close", recovers: true},
		{name: "a panic in a handler", end: func(_ *world, c *client, _ *sio.Socket) { c.send(`42["panic"]`) }, want: "forced close", recovers: true},
		{name: "the engine's goodbye", end: func(_ *world, c *client, _ *sio.Socket) { c.send("1") }, want: "transport close", recovers: true},
		{name: "a lost connection", end: func(_ *world, c *client, _ *sio.Socket) { _ = c.conn.Close() }, want: "transport close", recovers: true},
		{name: "a client that pings", end: func(_ *world, c *client, _ *sio.Socket) { c.send("2") }, want: "transport error", recovers: true},
		{name: "an unknown engine packet", end: func(_ *world, c *client, _ *sio.Socket) { c.send("7") }, want: "parse error"},
		{
			name: "silence", want: "ping timeout", recovers: true,
			end: func(_ *world, c *client, _ *sio.Socket) {
				c.mute.Store(true)
				<-time.After(45*time.Second + time.Millisecond)
			},
		},
		{
			name: "a client that does not read", want: "slow client", recovers: true,
			end: func(_ *world, c *client, s *sio.Socket) {
				c.stall()
				for range 40 {
					_ = s.Emit("much", strings.Repeat("x", 1000))
				}
			},
		},
		{
			name: "Shutdown", want: "server shutting down",
			end: func(w *world, _ *client, _ *sio.Socket) { assert.NoError(w.t, w.io.Shutdown(context.Background(), 0)) },
		},
	}
	for _, tc := range cases {
		bubble(t, tc.name, func(t *testing.T) {
			var d diary
			var all crowd
			w := serve(t, sio.Config{Recovery: window, Engine: engineio.Config{OutboxBytes: 20_000}}, func(io *sio.Server) {
				n := io.Of("/")
				all.gather(n)
				n.OnDisconnect(func(_ context.Context, _ *sio.Socket, reason sio.Reason) { d.add("%s", reason) })
				n.On("panic", func(context.Context, *sio.Event) { panic("handler") })
			})
			c, me := w.join()
			s := all.last()
			tc.end(w, c, s)
			assert.Equal(t, []string{string(tc.want)}, d.read())
			if tc.want != sio.Reason(engineio.ReasonSlowClient) { // such a client cannot be told anything any more
				c.expect(tc.told...)
			}
			if tc.stays {
				c.quiet()
			} else {
				<-time.After(time.Second)
				synctest.Wait()
				assert.Zero(t, w.io.Len())
			}
			absent, known := w.io.Of("/").Absent()
			if !tc.recovers {
				assert.Zero(t, known)
				return
			}
			assert.Equal(t, 1, absent)
			w.recovers(me)
			synctest.Wait()
			assert.True(t, s.Recovered())
		})
	}
}

func TestDisconnectAll(t *testing.T) {
	bubble(t, "DisconnectAll takes away every socket of the connection, and no other", func(t *testing.T) {
		var d diary
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			watched(&d, "/", "/a")(io)
			io.Of("/a").On("all", func(_ context.Context, e *sio.Event) {
				assert.NoError(t, e.Socket.Emit("bye"))
				e.Socket.DisconnectAll()
				e.Socket.DisconnectAll()
			})
		})
		c, beside := w.connect(), w.connect()
		c.send("40/a,")
		c.connected("/a,")
		d.read()
		c.send(`42/a,["all"]`)
		c.expect(`42/a,["bye"]`)
		start := time.Now()
		assert.ElementsMatch(t, []string{"41", "41/a,"}, []string{c.next(), c.next()})
		c.send(`42["late"]`, `40`, `4nonsense`)
		assert.ElementsMatch(t, []string{"/: server namespace disconnect", "/a: server namespace disconnect"}, d.read())
		c.expectClose()
		assert.Equal(t, time.Second, time.Since(start))
		assert.Empty(t, d.read())
		assert.Equal(t, 1, w.io.Len())
		beside.send(`421["echo"]`)
		beside.expect(`431[]`)
	})

	bubble(t, "DisconnectAll keeps an absent socket from coming back", func(t *testing.T) {
		w, all := recoverable(t)
		c, me := w.join()
		s := all.last()
		c.drop()
		s.DisconnectAll()
		w.doesNotRecover(me)
	})
}
