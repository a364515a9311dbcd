package sio_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

var packing = withMsgpack(sio.Config{})

func TestMsgpack(t *testing.T) {
	bubble(t, "handlers need not know which parser the client has", func(t *testing.T) {
		type file struct {
			Name string     `json:"name"`
			Data sio.Binary `json:"data"`
		}
		w := serve(t, packing, func(io *sio.Server) {
			io.Of("/files").On("put", func(_ context.Context, e *sio.Event) {
				var f file
				assert.NoError(t, e.Bind(&f))
				assert.NoError(t, e.Socket.Emit("stored", f, len(e.Attachments)))
				assert.NoError(t, e.Ack(f.Name, f.Data))
			})
		})
		usual, other := w.open(), w.openPacked()
		usual.send("40/files,")
		usual.connected("/files,")
		usual.send(`451-/files,7["put",{"name":"ä","data":{"_placeholder":true,"num":0}}]`)
		usual.sendBinary(1, 2)
		usual.expect(`451-/files,["stored",{"name":"ä","data":{"_placeholder":true,"num":0}},1]`, "<0102>",
			`461-/files,7["ä",{"_placeholder":true,"num":0}]`, "<0102>")

		other.send("40/files,")
		other.connected("/files,")
		other.send(`451-/files,7["put",{"name":"ä","data":{"_placeholder":true,"num":0}}]`, []byte{1, 2})
		other.expect(`451-/files,["stored",{"name":"ä","data":{"_placeholder":true,"num":0}},1]<0102>`,
			`461-/files,7["ä",{"_placeholder":true,"num":0}]<0102>`)
	})

	bubble(t, "a refused client is told, and may try again", func(t *testing.T) {
		w := serve(t, packing, func(io *sio.Server) {
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				if string(c.Auth) != `{"token":"t"}` {
					return &sio.ConnectError{Message: "no <entry>", Data: map[string]int{"code": 7}}
				}
				return nil
			})
			echo(io.Of("/"))
		})
		c := w.openPacked()
		c.send("40/nowhere,")
		c.send("40")
		c.expect(`44/nowhere,{"message":"Invalid namespace"}`, `44{"message":"no <entry>","data":{"code":7}}`)
		c.send(`40{"token":"t"}`)
		c.connected("")
		c.send(`421["echo",{"_placeholder":false}]`)
		c.expect(`431[{"_placeholder":false}]`)
	})

	bubble(t, "the server asks, and is answered with binary data", func(t *testing.T) {
		var all crowd
		var d diary
		c := serve(t, packing, func(io *sio.Server) { all.gather(io.Of("/")) }).connectPacked()
		ask := func() {
			require.NoError(t, all.last().Ask(time.Second, func(r *sio.Reply, err error) {
				if err != nil {
					d.add("%v", err)
					return
				}
				var data sio.Binary
				d.add("%v %x", r.Bind(&data), data)
			}, "what", []byte{9}))
		}
		ask()
		question := c.next()
		id := strings.TrimSuffix(strings.TrimPrefix(question, "451-"), `["what",{"_placeholder":true,"num":0}]<09>`)
		c.send("461-"+id+`[{"_placeholder":true,"num":0}]`, []byte{4, 2})
		assert.Equal(t, []string{"<nil> 0402"}, d.read())
		ask()
		c.next()
		<-time.After(time.Second)
		assert.Equal(t, []string{"sio: no ack in time"}, d.read())
	})

	bubble(t, "either side may leave a namespace", func(t *testing.T) {
		var d diary
		c := serve(t, packing, watched(&d, "/", "/a")).connectPacked()
		c.send("40/a,")
		c.connected("/a,")
		c.send(`42/a,["kick"]`)
		c.expect("41/a,")
		c.send(`42/a,["late"]`)
		c.send("41")
		assert.Equal(t, []string{"/: connect", "/a: connect", "/a: server namespace disconnect", "/: client namespace disconnect"}, d.read())
	})

	bubble(t, "a client with msgpack may connect by a rule, also after a refusal", func(t *testing.T) {
		w := serve(t, packing, func(io *sio.Server) {
			echo(io.OfMatching(func(name string, auth json.RawMessage) bool { return name == "/r" && auth != nil }))
		})
		c := w.openPacked()
		c.send("40/r,")
		c.expect(`44/r,{"message":"Invalid namespace"}`)
		c.send("40/r,{}")
		c.connected("/r,")
		c.send(`42/r,3["echo",1]`)
		c.expect("43/r,3[1]")
	})
}

func TestMsgpack_multicast(t *testing.T) {
	bubble(t, "a multicast reaches clients of both kinds, in order, and encodes its arguments once", func(t *testing.T) {
		var all crowd
		w := serve(t, packing, func(io *sio.Server) { all.gather(io.Of("/")) })
		usual, other, third := w.connect(), w.connectPacked(), w.connectPacked()
		all.last()
		times := 0
		p, err := sio.Prepare("/", "news", counted{&times}, []byte{5})
		require.NoError(t, err)
		for range 2 {
			sio.Multicast(slices.Values(all.snapshot()), p)
			sio.Multicast(slices.Values(all.snapshot()), p.Volatile())
		}
		for _, s := range all.snapshot() {
			s.Send(p)
			require.NoError(t, s.EmitVolatile("last", []byte{6}))
		}
		assert.Equal(t, 1, times)
		for range 5 {
			usual.expect(`451-["news","counted",{"_placeholder":true,"num":0}]`, "<05>")
			other.expect(`451-["news","counted",{"_placeholder":true,"num":0}]<05>`)
			third.expect(`451-["news","counted",{"_placeholder":true,"num":0}]<05>`)
		}
		usual.expect(`451-["last",{"_placeholder":true,"num":0}]`, "<06>")
		other.expect(`451-["last",{"_placeholder":true,"num":0}]<06>`)
		sio.Multicast(slices.Values(all.snapshot()), sio.Prepared{}.Volatile())
		usual.quiet()
		other.quiet()
	})

	bubble(t, "a multicast with acks gets those of both kinds of clients", func(t *testing.T) {
		var all crowd
		var d diary
		w := serve(t, packing, func(io *sio.Server) { all.gather(io.Of("/")) })
		usual, other := w.connect(), w.connectPacked()
		all.last()
		require.NoError(t, sio.AskAll("/", slices.Values(all.snapshot()), time.Second, func(_ *sio.Socket, r *sio.Reply, err error) {
			d.add("%s %v", r.Args, err)
		}, "vote"))
		ask := usual.next()
		require.Equal(t, ask, other.next())
		id := strings.TrimSuffix(strings.TrimPrefix(ask, "42"), `["vote"]`)
		usual.send("43" + id + `["yes"]`)
		other.send("43" + id + `["no"]`)
		assert.ElementsMatch(t, []string{`["yes"] <nil>`, `["no"] <nil>`}, d.read())
	})

	bubble(t, "a multicast that would be mistaken for binary data is an error", func(t *testing.T) {
		lookalike := json.RawMessage(`{"_placeholder":true,"num":0}`)
		_, err := sio.Prepare("/", "e", lookalike)
		require.NoError(t, err)
		_, err = sio.Prepare("/", "e", lookalike, []byte{1})
		assert.Error(t, err)
	})
}

func TestMsgpack_recovery(t *testing.T) {
	setup := func(t *testing.T) (*world, *crowd) {
		t.Helper()
		all := &crowd{}
		return serve(t, withMsgpack(recovering), func(io *sio.Server) { all.gather(io.Of("/")) }), all
	}

	bubble(t, "a client with msgpack recovers what it missed", func(t *testing.T) {
		w, all := setup(t)
		c := w.openPacked()
		c.send("40")
		me := c.accepted()
		s := all.last()
		emit(t, s, 1)
		me.offset = c.event(`42["e",1]`)
		c.drop()
		emit(t, s, 2, []byte{7})
		p, err := sio.PrepareRecoverable("/", "e", 3)
		require.NoError(t, err)
		sio.Multicast(slices.Values([]*sio.Socket{s}), p)

		again := w.openPacked()
		again.send("40" + me.payload())
		assert.Equal(t, identity{sid: me.sid, pid: me.pid}, again.accepted())
		m := again.next()
		assert.Regexp(t, `^451-\["e",2,\{"_placeholder":true,"num":0\},"[0-9a-z]+"\]<07>$`, m)
		again.event(`42["e",3]`)
		assert.True(t, s.Recovered())
		again.quiet()
	})

	bubble(t, "a client that comes back with another parser connects anew", func(t *testing.T) {
		w, all := setup(t)
		c := w.openPacked()
		c.send("40")
		me := c.accepted()
		emit(t, all.last(), 1)
		me.offset = c.event(`42["e",1]`)
		c.drop()
		w.doesNotRecover(me)
	})
}

func TestMsgpack_limits(t *testing.T) {
	bubble(t, "msgpack is off by default", func(t *testing.T) {
		c := serve(t, sio.Config{}, watched(&diary{}, "/")).openPacked()
		c.send("40")
		c.expectClose()
	})

	bubble(t, "binary data in msgpack is bounded like that of the usual clients", func(t *testing.T) {
		config := packing
		config.MaxBinary = 1000
		var d diary
		w := serve(t, config, func(io *sio.Server) {
			echo(io.Of("/"))
			io.Of("/").OnViolation(func(_ context.Context, _ *sio.Socket, err error) { d.add("%v", err) })
		})
		c := w.connectPacked()
		c.send(`421["echo","` + strings.Repeat("x", 2000) + `"]`)
		c.next()
		c.send(`451-["echo",{"_placeholder":true,"num":0}]`, make([]byte, 900))
		c.send(`451-["echo",{"_placeholder":true,"num":0}]`, make([]byte, 1000))
		c.expectClose()
		assert.Equal(t, []string{"packet: binary packet is too big"}, d.read())
	})

	bubble(t, "after an ack that cannot be encoded, another may be sent", func(t *testing.T) {
		c := serve(t, packing, func(io *sio.Server) {
			io.Of("/").On("e", func(_ context.Context, e *sio.Event) {
				assert.Error(t, e.Ack(errors.ErrUnsupported, func() {}))
				assert.NoError(t, e.Ack())
			})
		}).connectPacked()
		c.send(`421["e"]`)
		c.expect("431[]")
	})
}
