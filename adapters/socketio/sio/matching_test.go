package sio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestOfMatching(t *testing.T) {
	prefix := func(p string) func(string, json.RawMessage) bool {
		return func(name string, _ json.RawMessage) bool { return strings.HasPrefix(name, p) }
	}
	where := func(rule string) sio.Handler {
		return func(_ context.Context, e *sio.Event) { _ = e.Ack(rule, e.Socket.Namespace().Name()) }
	}
	setup := func(io *sio.Server) {
		io.OfMatching(prefix("/room-")).On("where", where("rooms"))
		io.OfMatching(prefix("/")).On("where", where("all"))
		io.Of("/room-special").On("where", where("special"))
	}

	bubble(t, "a name goes to its own namespace, else to the first rule that takes it", func(t *testing.T) {
		c := serve(t, sio.Config{}, setup).connect()
		for name, rule := range map[string]string{"/room-1": "rooms", "/room-2": "rooms", "/room-special": "special", "/x": "all"} {
			c.send("40" + name + ",")
			c.connected(name + ",")
			c.send("42" + name + `,1["where"]`)
			c.expect("43" + name + `,1["` + rule + `","` + name + `"]`)
		}
	})

	bubble(t, "the rule sees the name and the auth payload, at each CONNECT", func(t *testing.T) {
		var d diary
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			io.OfMatching(func(name string, auth json.RawMessage) bool {
				d.add("%s %s", name, auth)
				return string(auth) == `{"key":1}`
			})
		})
		c := w.open()
		c.send("40/a,", `40/a,{"key":2}`, `40/a,{"key":1}`)
		c.expect(`44/a,{"message":"Invalid namespace"}`, `44/a,{"message":"Invalid namespace"}`)
		c.connected("/a,")
		assert.Equal(t, []string{"/a ", `/a {"key":2}`, `/a {"key":1}`}, d.read())
	})

	bubble(t, "all of one rule share middleware and handlers, and what is sent goes to each by its name", func(t *testing.T) {
		var all crowd
		asked := 0
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			n := io.OfMatching(prefix("/room-"))
			n.Use(func(context.Context, *sio.Connect) error { asked++; return nil })
			all.gather(n)
		})
		c := w.open()
		for _, name := range []string{"/room-1", "/room-2"} {
			c.send("40" + name + ",")
			c.connected(name + ",")
			require.NoError(t, all.last().Emit("e"))
			c.expect("42" + name + `,["e"]`)
		}
		assert.Equal(t, 2, asked)
	})

	bubble(t, "a rule that panics does not match", func(t *testing.T) {
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			io.OfMatching(func(string, json.RawMessage) bool { panic("rule") })
		})
		c := w.connect()
		c.send("40/a,")
		c.expect(`44/a,{"message":"Invalid namespace"}`)
		c.quiet()
		assert.Contains(t, w.logs.String(), "rule")
	})

	bubble(t, "a connection may be in 64 namespaces besides the main one", func(t *testing.T) {
		w := serve(t, sio.Config{}, setup)
		c := w.open()
		for i := range 64 {
			name := fmt.Sprint("/room-", i)
			c.send("40" + name + ",")
			c.connected(name + ",")
		}
		c.send("40/room-64,")
		c.expect(`44/room-64,{"message":"Too many namespaces"}`)
		c.send("40")
		c.connected("")
		c.send("41/room-7,", "40/room-64,")
		c.connected("/room-64,")
		c.quiet()
	})
}

func TestUseEvent(t *testing.T) {
	bubble(t, "wrappers are built once, the first is the outermost, and they see every event", func(t *testing.T) {
		var d diary
		wrapper := func(name string) func(sio.Handler) sio.Handler {
			return func(next sio.Handler) sio.Handler {
				d.add("make %s", name)
				calls := 0
				return func(ctx context.Context, e *sio.Event) {
					calls++
					d.add("%s %d %s", name, calls, e.Name)
					next(ctx, e)
					d.add("%s done", name)
				}
			}
		}
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			n := io.Of("/")
			n.UseEvent(wrapper("outer"))
			n.On("known", func(context.Context, *sio.Event) { d.add("handled") })
			n.UseEvent(wrapper("inner"))
		})
		first, second := w.connect(), w.connect()
		first.send(`42["known"]`)
		assert.Equal(t, []string{
			"make inner", "make outer", "outer 1 known", "inner 1 known", "handled", "inner done", "outer done",
		}, d.read())
		second.send(`42["unknown"]`)
		assert.Equal(t, []string{"outer 2 unknown", "inner 2 unknown", "inner done", "outer done"}, d.read())
	})

	bubble(t, "a wrapper may answer in place of the handler, also for events without one", func(t *testing.T) {
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").UseEvent(func(next sio.Handler) sio.Handler {
				return func(ctx context.Context, e *sio.Event) {
					if e.Name == "private" {
						_ = e.Ack("no")
						return
					}
					next(ctx, e)
				}
			})
			io.Of("/").On("private", func(context.Context, *sio.Event) { t.Error("it was to be kept from this") })
			io.Of("/").OnUnhandled(func(_ context.Context, e *sio.Event) { _ = e.Ack("unhandled") })
		})
		c := w.connect()
		c.send(`421["private"]`, `422["other"]`)
		c.expect(`431["no"]`, `432["unhandled"]`)
	})

	bubble(t, "each namespace has its own wrappers, and those of one rule share theirs", func(t *testing.T) {
		var d diary
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			rule := io.OfMatching(func(string, json.RawMessage) bool { return true })
			rule.UseEvent(func(next sio.Handler) sio.Handler {
				d.add("make")
				return func(ctx context.Context, e *sio.Event) { d.add("%s", e.Socket.Namespace().Name()); next(ctx, e) }
			})
		})
		c := w.connect()
		for _, name := range []string{"/a", "/b"} {
			c.send("40" + name + ",")
			c.connected(name + ",")
			c.send("42" + name + `,["e"]`)
			synctest.Wait()
		}
		c.send(`42["e"]`)
		assert.Equal(t, []string{"make", "/a", "/b"}, d.read())
	})

	bubble(t, "a panic in a wrapper ends the connection and nothing else", func(t *testing.T) {
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").UseEvent(func(next sio.Handler) sio.Handler {
				return func(ctx context.Context, e *sio.Event) {
					if e.Name == "bad" {
						panic("wrapper")
					}
					next(ctx, e)
				}
			})
			echo(io.Of("/"))
		})
		c, other := w.connect(), w.connect()
		c.send(`42["bad"]`)
		c.expectClose()
		other.send(`421["echo"]`)
		other.expect("431[]")
	})
}
