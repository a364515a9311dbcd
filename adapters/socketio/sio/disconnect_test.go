package sio_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio"
)

func TestClientDisconnect(t *testing.T) {
	bubble(t, "a client's DISCONNECT ends the socket and not the connection", func(t *testing.T) {
		var d diary
		w := serve(t, sio.Config{}, watched(&d, "/", "/a"))
		c := w.connect()
		c.send("40/a,")
		c.connected("/a,")
		c.send("41")
		assert.Equal(t, []string{"/: connect", "/a: connect", "/: client namespace disconnect"}, d.read())
		c.send(`42/a,1["echo"]`)
		c.expect(`43/a,1[]`)
		c.send("40")
		c.connected("")
		c.send("41/a,")
		assert.Equal(t, []string{"/: connect", "/a: client namespace disconnect"}, d.read())
		c.quiet()
		assert.Equal(t, 1, w.io.Len())
	})

	bubble(t, "after DISCONNECT the connection has ConnectTimeout to connect again", func(t *testing.T) {
		var d diary
		w := serve(t, sio.Config{ConnectTimeout: 10 * time.Second}, watched(&d, "/"))
		c := w.connect()
		<-time.After(time.Minute)
		c.send("41")
		synctest.Wait()
		<-time.After(9 * time.Second)
		c.quiet()
		c.send("40")
		c.connected("")
		<-time.After(time.Minute)
		c.send("41")
		synctest.Wait()
		<-time.After(10*time.Second + time.Millisecond)
		synctest.Wait()
		assert.Zero(t, w.io.Len())
		c.expectClose()
	})

	bubble(t, "DISCONNECT followed by the end of the connection calls OnDisconnect once", func(t *testing.T) {
		var d diary
		c := serve(t, sio.Config{}, watched(&d, "/")).connect()
		c.sendAtOnce("41", "1")
		c.expectClose()
		assert.Equal(t, []string{"/: connect", "/: client namespace disconnect"}, d.read())
	})
}

func TestServerDisconnect(t *testing.T) {
	bubble(t, "the client is told after what was emitted, and what it sent before it knew is ignored", func(t *testing.T) {
		var d diary
		w := serve(t, sio.Config{}, watched(&d, "/", "/a"))
		c := w.connect()
		c.send("40/a,")
		c.connected("/a,")
		c.sendAtOnce(`42/a,1["echo"]`, `42/a,["kick"]`, `42/a,["late"]`, `42/a,2["echo"]`)
		c.expect("43/a,1[]", "41/a,")
		c.sendAtOnce(`42/a,["later"]`, `43/a,1[]`, `41/a,`, `451-/a,["late",{"_placeholder":true,"num":0}]`)
		c.sendBinary(1)
		c.send(`421["echo"]`)
		c.expect("431[]")
		assert.Equal(t, []string{"/: connect", "/a: connect", "/a: server namespace disconnect"}, d.read())
		c.send("40/a,")
		c.connected("/a,")
		c.send(`42/a,3["echo"]`, `41/a,`)
		c.expect("43/a,3[]")
		assert.Equal(t, []string{"/a: connect", "/a: client namespace disconnect"}, d.read())
		c.send(`42/a,["after my own goodbye"]`)
		c.expectClose()
	})

	bubble(t, "nothing emitted after Disconnect reaches the client", func(t *testing.T) {
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			n := io.Of("/")
			rooms := n.Rooms()
			n.On("kick", func(_ context.Context, e *sio.Event) {
				s := e.Socket
				require.NoError(t, s.Emit("farewell"))
				s.Disconnect()
				told, err := sio.Prepare("/", "told")
				require.NoError(t, err)
				s.Send(told)
				sio.Multicast(slices.Values([]*sio.Socket{s}), told)
				require.NoError(t, s.Emit("told"))
				require.NoError(t, s.EmitVolatile("told"))
				require.NoError(t, rooms.All().Emit("told"))
				require.NoError(t, s.Ask(time.Second, func(_ *sio.Reply, err error) { assert.ErrorIs(t, err, sio.ErrDisconnected) }, "told"))
				require.NoError(t, e.Emit("told"))
				require.NoError(t, e.Ack())
			})
		})
		c := w.connect()
		c.send(`421["kick"]`)
		c.expect(`42["farewell"]`)
		c.expect("41")
		c.quiet()
	})

	bubble(t, "a client's DISCONNECT that crosses the server's is accepted", func(t *testing.T) {
		var d diary
		c := serve(t, sio.Config{}, watched(&d, "/")).connect()
		c.sendAtOnce(`42["kick"]`, "41", "40", `421["echo"]`)
		c.connected("") // and no 41 before or after, which would end what the client has begun since
		c.expect("431[]")
		assert.Equal(t, []string{"/: connect", "/: server namespace disconnect", "/: connect"}, d.read())
		c.quiet()
	})

	bubble(t, "Disconnect may be called from any goroutine, also when the connection is over", func(t *testing.T) {
		var d diary
		var all crowd
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			watch(&d, io.Of("/"))
			all.gather(io.Of("/"))
		}).connect()
		synctest.Wait()
		socket := all.snapshot()[0]
		for range 4 {
			go socket.Disconnect()
		}
		c.expect("41")
		assert.Equal(t, []string{"/: server namespace disconnect"}, d.read())
		c.quiet()
		c.send("1")
		c.expectClose()
		socket.Disconnect()
		socket.Close()
		assert.NoError(t, socket.Emit("anyone?"))
		assert.Empty(t, d.read())
	})

	bubble(t, "after Disconnect the connection has ConnectTimeout to connect again", func(t *testing.T) {
		var d diary
		c := serve(t, sio.Config{ConnectTimeout: 3 * time.Second}, watched(&d, "/")).connect()
		c.send(`42["kick"]`)
		c.expect("41")
		<-time.After(2 * time.Second)
		c.quiet()
		c.expectClose()
	})

	for name, end := range map[string]func(*sio.Socket){
		"Close behind Disconnect":    func(s *sio.Socket) { s.Disconnect(); s.Close() },
		"Close behind DisconnectAll": func(s *sio.Socket) { s.DisconnectAll(); s.Close() },
	} {
		bubble(t, name+" does not keep the client from being told", func(t *testing.T) {
			var d diary
			w := serve(t, sio.Config{Recovery: time.Minute}, func(io *sio.Server) {
				watch(&d, io.Of("/"))
				io.Of("/").On("end", func(_ context.Context, e *sio.Event) { end(e.Socket) })
			})
			c, _ := w.join()
			c.sendAtOnce(`42["end"]`, `42["late"]`)
			c.expect("41")
			c.expectClose()
			assert.Equal(t, []string{"/: connect", "/: server namespace disconnect"}, d.read())
		})
	}

	bubble(t, "Disconnect is the reason even if the connection is lost before it is carried out", func(t *testing.T) {
		var d diary
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			watch(&d, io.Of("/"))
			io.Of("/").On("lose", func(_ context.Context, e *sio.Event) {
				e.Socket.Close()
				e.Socket.Disconnect()
			})
		})
		c := w.connect()
		c.send(`42["lose"]`)
		c.expectClose()
		assert.Equal(t, []string{"/: connect", "/: server namespace disconnect"}, d.read())
	})

	bubble(t, "Close ends the connection after what was emitted", func(t *testing.T) {
		var d diary
		c := serve(t, sio.Config{}, watched(&d, "/", "/a")).connect()
		c.send("40/a,")
		c.connected("/a,")
		c.sendAtOnce(`421["echo"]`, `42["close"]`, `42["late"]`)
		c.expect("431[]")
		c.expectClose()
		assert.ElementsMatch(t, []string{"/: connect", "/a: connect", "/: forced close", "/a: forced close"}, d.read())
	})
}

func TestConnectTimeout(t *testing.T) {
	bubble(t, "a connection that stays in no namespace is closed, whatever else it does", func(t *testing.T) {
		config := sio.Config{
			ConnectTimeout: 10 * time.Second,
			Engine:         engineio.Config{PingInterval: 3 * time.Second, PingTimeout: 2 * time.Second},
		}
		w := serve(t, config, watched(&diary{}, "/"))
		c := w.open()
		start := time.Now()
		for range 9 {
			<-time.After(time.Second)
			c.send("40/nowhere,", "3")
			c.expect(`44/nowhere,{"message":"Invalid namespace"}`)
		}
		require.Equal(t, 9*time.Second, time.Since(start))
		c.expectClose()
		assert.Equal(t, 10*time.Second, time.Since(start))
		synctest.Wait()
		assert.Zero(t, w.io.Len())
	})

	bubble(t, "ConnectTimeout is 45 s by default, and stops with the first namespace", func(t *testing.T) {
		w := serve(t, sio.Config{}, watched(&diary{}, "/a"))
		late, early := w.open(), w.open()
		early.send("40/a,")
		early.connected("/a,")
		<-time.After(45*time.Second - time.Millisecond)
		late.quiet()
		late.expectClose()
		<-time.After(time.Hour)
		early.quiet()
	})
}
