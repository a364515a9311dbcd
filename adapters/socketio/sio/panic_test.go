package sio_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/sio"
)

func TestPanic(t *testing.T) {
	cases := []struct {
		where string
		setup func(n *sio.Namespace)
		send  []string
		// want is what the client gets before its connection is closed.
		want   []string
		open   bool
		panics int
		logged string
	}{
		{
			where: "middleware refuses the socket",
			setup: func(n *sio.Namespace) {
				n.Use(func(context.Context, *sio.Connect) error { panic("boom: secret") })
			},
			send: []string{"40/a,", "40/a,"},
			want: []string{`44/a,{"message":"internal error"}`, `44/a,{"message":"internal error"}`},
			open: true, panics: 2, logged: "boom: secret",
		},
		{
			where: "OnConnect ends the connection",
			setup: func(n *sio.Namespace) {
				n.OnConnect(func(context.Context, *sio.Socket) { panic("boom: secret") })
			},
			send:   []string{"40/a,"},
			want:   []string{"40/a,"},
			panics: 1, logged: "boom: secret",
		},
		{
			where: "a handler ends the connection, after what was emitted",
			setup: func(n *sio.Namespace) {
				n.On("e", func(_ context.Context, e *sio.Event) {
					assert.NoError(t, e.Ack())
					_ = []int{}[len(e.Args)]
				})
			},
			send:   []string{"40/a,", `42/a,0["e"]`},
			want:   []string{"40/a,", "43/a,0[]"},
			panics: 1, logged: "index out of range",
		},
		{
			where: "the handler of unhandled events ends the connection",
			setup: func(n *sio.Namespace) {
				n.OnUnhandled(func(context.Context, *sio.Event) { panic("boom: secret") })
			},
			send:   []string{"40/a,", `42/a,["e"]`},
			want:   []string{"40/a,"},
			panics: 1, logged: "boom: secret",
		},
		{
			where: "OnDisconnect ends the connection",
			setup: func(n *sio.Namespace) {
				n.OnDisconnect(func(context.Context, *sio.Socket, sio.Reason) { panic("boom: secret") })
			},
			send:   []string{"40/a,", "41/a,"},
			want:   []string{"40/a,"},
			panics: 1, logged: "boom: secret",
		},
	}
	for _, tc := range cases {
		bubble(t, "a panic in "+tc.where+", and nothing else", func(t *testing.T) {
			var d diary
			w := serve(t, sio.Config{}, func(io *sio.Server) {
				tc.setup(io.Of("/a"))
				watch(&d, io.Of("/"))
				echo(io.Of("/"))
			})
			beside, c := w.connect(), w.connect()
			c.send(tc.send...)
			var got []string
			if tc.open {
				got = []string{c.next(), c.next()}
				c.quiet()
			} else {
				got = c.rest()
			}
			assert.Len(t, got, len(tc.want))
			for i := range tc.want {
				assert.True(t, strings.HasPrefix(got[i], tc.want[i]), "%s, want %s", got[i], tc.want[i])
			}
			if !tc.open {
				assert.ElementsMatch(t, []string{"/: connect", "/: connect", "/: forced close"}, d.read())
			}
			assert.Equal(t, tc.panics, strings.Count(w.logs.String(), `msg="sio: panic`))
			assert.Contains(t, w.logs.String(), tc.logged)
			assert.Contains(t, w.logs.String(), "panic_test.go", "the stack")
			beside.send(`421["echo"]`)
			beside.expect("431[]")
		})
	}

	bubble(t, "a panic in the OnDisconnect of one namespace does not keep the others from theirs", func(t *testing.T) {
		var d diary
		names := []string{"/", "/a", "/b"}
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			for _, name := range names {
				io.Of(name).OnDisconnect(func(_ context.Context, _ *sio.Socket, r sio.Reason) {
					d.add("%s: %s", name, r)
					panic("boom")
				})
			}
		})
		c := w.open()
		c.send("40", "40/a,", "40/b,", "1")
		c.rest()
		assert.ElementsMatch(t, []string{"/: transport close", "/a: transport close", "/b: transport close"}, d.read())
		assert.Equal(t, 3, strings.Count(w.logs.String(), `msg="sio: panic`))
		<-time.After(time.Minute)
		assert.Zero(t, w.io.Len())
	})
}
