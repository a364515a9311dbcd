package sio_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio"
)

func TestConnect(t *testing.T) {
	bubble(t, "CONNECT without a payload is answered with the socket's id", func(t *testing.T) {
		var d diary
		var id string
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				d.add("auth %s value %v", c.Auth, c.Value)
				id = c.Socket.ID()
				return nil
			})
		})
		c := w.open()
		c.send("40")
		assert.Equal(t, c.connected(""), id)
		c.quiet()
		assert.Equal(t, []string{"auth  value <nil>"}, d.read())
	})

	bubble(t, "every middleware in turn gets the payload and the handshake's value", func(t *testing.T) {
		var d diary
		config := sio.Config{Engine: engineio.Config{
			Authorize: func(*http.Request) (any, error) { return "from the handshake", nil },
		}}
		w := serve(t, config, func(io *sio.Server) {
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				d.add("first %s %v", c.Auth, c.Value)
				return nil
			})
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				d.add("second %s in %s", c.Auth, c.Socket.Namespace().Name())
				assert.NoError(t, c.Socket.Emit("early"), "an emit before the answer says nothing")
				return nil
			})
			io.Of("/").OnConnect(func(_ context.Context, s *sio.Socket) {
				d.add("connected over %s", s.Transport())
				assert.NoError(t, s.Emit("welcome"))
			})
		})
		c := w.open()
		c.send(`40{"token":"x"}`)
		c.connected("")
		c.expect(`42["welcome"]`)
		c.quiet()
		assert.Equal(t, []string{
			`first {"token":"x"} from the handshake`, `second {"token":"x"} in /`, "connected over websocket",
		}, d.read())
	})

	bubble(t, "CONNECT with a number is accepted, as by the reference server", func(t *testing.T) {
		c := serve(t, sio.Config{}, func(*sio.Server) {}).open()
		c.send("405")
		c.connected("")
		c.quiet()
	})

	bubble(t, "socket ids differ from each other and from the engine's", func(t *testing.T) {
		w := serve(t, sio.Config{}, func(*sio.Server) {})
		seen := map[string]bool{}
		for range 50 {
			c := w.open()
			c.send("40")
			seen[c.connected("")] = true
		}
		assert.Len(t, seen, 50)
		assert.Equal(t, 50, w.io.Len())
	})
}

func TestConnectRefused(t *testing.T) {
	refusal := func(err error) func(*sio.Server) {
		return func(io *sio.Server) {
			for _, name := range []string{"/", "/admin"} {
				n := io.Of(name)
				n.Use(func(context.Context, *sio.Connect) error { return err })
				n.Use(func(context.Context, *sio.Connect) error { panic("not to be asked") })
				n.OnConnect(func(context.Context, *sio.Socket) { panic("not connected") })
				n.OnDisconnect(func(context.Context, *sio.Socket, sio.Reason) { panic("never was connected") })
			}
		}
	}
	cases := []struct {
		name string
		err  error
		want string
	}{
		{"with the text of any error", errors.New(`no "entry" <here>`), `{"message":"no \"entry\" <here>"}`},
		{"by a ConnectError without data", &sio.ConnectError{Message: "no"}, `{"message":"no"}`},
		{
			"by a ConnectError with data, message first", &sio.ConnectError{Message: "no", Data: map[string]any{"code": 7, "b": nil}},
			`{"message":"no","data":{"b":null,"code":7}}`,
		},
		{
			"by a wrapped ConnectError, whose own text is what counts",
			errors.Join(errors.New("secret"), &sio.ConnectError{Message: "no", Data: []int{1}}), `{"message":"no","data":[1]}`,
		},
		{"by a ConnectError whose data cannot be encoded", &sio.ConnectError{Message: "no", Data: func() {}}, `{"message":"no"}`},
		{"by a ConnectError whose data is JSON already", &sio.ConnectError{Message: "no", Data: json.RawMessage(`[ 1]`)}, `{"message":"no","data":[1]}`},
	}
	for _, tc := range cases {
		bubble(t, "CONNECT is refused "+tc.name, func(t *testing.T) {
			w := serve(t, sio.Config{}, refusal(tc.err))
			c := w.open()
			c.send("40", "40/admin,")
			c.expect("44"+tc.want, "44/admin,"+tc.want)
			c.quiet()
			require.NotContains(t, w.logs.String(), "panic")
		})
	}

	bubble(t, "CONNECT to an unknown namespace is refused, and the other namespaces stay", func(t *testing.T) {
		c := serve(t, sio.Config{}, func(io *sio.Server) { echo(io.Of("/")) }).connect()
		c.send(`40/nsp,{"token":"x"}`, "40/nsp", "40/nsp?a=b,")
		c.expect(`44/nsp,{"message":"Invalid namespace"}`, `44/nsp,{"message":"Invalid namespace"}`, `44/nsp?a=b,{"message":"Invalid namespace"}`)
		c.send(`420["echo",1]`)
		c.expect(`430[1]`)
	})

	bubble(t, "a refused CONNECT may be tried again on the same connection", func(t *testing.T) {
		var ids []string
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				ids = append(ids, c.Socket.ID())
				if string(c.Auth) != `{"token":"good"}` {
					return errors.New("bad token")
				}
				return nil
			})
			echo(io.Of("/"))
		}).open()
		c.send(`40{"token":"bad"}`)
		c.expect(`44{"message":"bad token"}`)
		c.send(`40{"token":"good"}`)
		assert.Equal(t, c.connected(""), ids[1])
		assert.NotEqual(t, ids[0], ids[1])
		c.send(`420["echo"]`)
		c.expect(`430[]`)
	})
}

func TestNamespaces(t *testing.T) {
	bubble(t, "namespaces share a connection and nothing else", func(t *testing.T) {
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			assert.Same(t, io.Of("/admin"), io.Of("/admin"))
			for _, name := range []string{"/", "/admin"} {
				io.Of(name).On("where", func(_ context.Context, e *sio.Event) {
					assert.NoError(t, e.Socket.Emit("here", e.Socket.Namespace().Name()))
					assert.NoError(t, e.Ack(e.Socket.ID()))
				})
			}
		})
		c := w.open()
		c.send("40/admin,{}")
		admin := c.connected("/admin,")
		c.send("40")
		main := c.connected("")
		assert.NotEqual(t, main, admin)
		c.send(`421["where"]`, `42/admin,1["where"]`)
		c.expect(`42["here","/"]`, `431["`+main+`"]`, `42/admin,["here","/admin"]`, `43/admin,1["`+admin+`"]`)
		c.quiet()
		assert.Equal(t, 1, w.io.Len())
	})
}
