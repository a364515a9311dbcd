package sio_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestRooms(t *testing.T) {
	bubble(t, "sockets that leave, or are gone, are in the rooms no more, and empty rooms vanish", func(t *testing.T) {
		w, rooms := house(t, sio.Config{})
		first, second := w.in("ab"), w.in("bc")
		first.send(`422["leave",["a","x"]]`)
		first.expect(`432[true]`)
		assert.Equal(t, []string{"b", "c"}, rooms.Names())
		gone := rooms.To("c").Sockets()[0]
		second.drop()
		assert.Equal(t, []string{"b"}, rooms.Names())
		assert.False(t, rooms.Join(gone, "a"), "a socket that is gone would never leave again")
		assert.Empty(t, rooms.Of(gone))
		assert.Nil(t, rooms.Find(gone.ID()))
		first.send("41")
		synctest.Wait()
		assert.Empty(t, rooms.Names())
		assert.Empty(t, rooms.All().Sockets())
	})

	bubble(t, "OnDisconnect can read the socket's rooms and emit to them", func(t *testing.T) {
		var rooms *sio.Rooms
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			rooms = io.Of("/").Rooms()
			occupy(io.Of("/"))
			io.Of("/").OnDisconnect(func(_ context.Context, s *sio.Socket, _ sio.Reason) {
				assert.NoError(t, rooms.To(rooms.Of(s)...).Emit("left", rooms.Of(s)))
			})
		})
		first, second := w.in("ab"), w.in("bc")
		first.drop()
		second.expect(`42["left",["a","b"]]`)
		second.quiet()
	})

	bubble(t, "a socket that middleware puts into rooms and then refuses leaves them", func(t *testing.T) {
		var rooms *sio.Rooms
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			rooms = io.Of("/").Rooms()
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				assert.True(t, rooms.Join(c.Socket, "early"))
				assert.NoError(t, rooms.All().Emit("too early"))
				if c.Auth == nil {
					return &sio.ConnectError{Message: "no"}
				}
				return nil
			})
		})
		refused, let := w.open(), w.open()
		refused.send("40")
		refused.expect(`44{"message":"no"}`)
		assert.Empty(t, rooms.Names())
		let.send("40{}")
		let.connected("")
		synctest.Wait()
		require.NoError(t, rooms.To("early").Emit("e"))
		let.expect(`42["e"]`)
		assert.Len(t, rooms.All().Sockets(), 1)
		refused.quiet()
	})

	bubble(t, "rooms do not accept sockets of another namespace", func(t *testing.T) {
		var here, there *sio.Rooms
		var all crowd
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			here, there = io.Of("/").Rooms(), io.Of("/there").Rooms()
			all.gather(io.Of("/"))
		})
		c := w.connect()
		assert.False(t, there.Join(all.last(), "a"))
		assert.True(t, here.Join(all.last(), "a"))
		require.NoError(t, there.To("a").Emit("e"))
		c.quiet()
	})
}

func TestRooms_recovery(t *testing.T) {
	bubble(t, "an absent socket stays in its rooms and misses nothing", func(t *testing.T) {
		w, rooms := house(t, recovering)
		c, me := w.join()
		c.enter("a")
		require.NoError(t, rooms.To("a").Emit("e", 1))
		me.offset = c.event(`42["e",1]`)
		c.drop()
		assert.Empty(t, rooms.To("a").Sockets(), "it is not connected")
		require.NoError(t, rooms.To("a").Emit("e", 2))
		require.NoError(t, rooms.To("a").Volatile().Emit("of the moment", 3))
		asked := 0
		require.NoError(t, rooms.To("a").Ask(time.Second, func(*sio.Socket, *sio.Reply, error) { asked++ }, "ask"))
		again := w.recovers(me)
		again.event(`42["e",2]`)
		require.NoError(t, rooms.To("a").Emit("e", 4))
		again.event(`42["e",4]`)
		again.quiet()
		assert.Zero(t, asked)
	})

	bubble(t, "a socket that does not come back leaves its rooms", func(t *testing.T) {
		w, rooms := house(t, recovering)
		c, _ := w.join()
		c.enter("a")
		c.drop()
		assert.Equal(t, []string{"a"}, rooms.Names())
		<-time.After(window + time.Millisecond)
		synctest.Wait()
		assert.Empty(t, rooms.Names())
	})

	bubble(t, "a socket that is disconnected while absent leaves its rooms", func(t *testing.T) {
		w, rooms := house(t, recovering)
		c, me := w.join()
		c.enter("a")
		c.drop()
		rooms.To("a").Disconnect()
		assert.Empty(t, rooms.Names())
		w.doesNotRecover(me)
	})
}

func TestRooms_concurrency(t *testing.T) {
	bubble(t, "all sockets in a room get the same order, whoever emits", func(t *testing.T) {
		w, rooms := house(t, sio.Config{})
		clients := []*client{w.in("a"), w.in("ab"), w.in("ba")}
		synctest.Wait()
		const emitters, each = 4, 50
		var all sync.WaitGroup
		for g := range emitters {
			all.Go(func() {
				for i := range each {
					assert.NoError(t, rooms.To("a", "b").Emit("e", g, i))
				}
			})
		}
		all.Wait()
		for range emitters * each {
			m := clients[0].next()
			clients[1].expect(m)
			clients[2].expect(m)
		}
	})

	bubble(t, "sockets that come and go leave nothing behind", func(t *testing.T) {
		w, rooms := house(t, sio.Config{})
		var all sync.WaitGroup
		stop := make(chan struct{})
		for g := range 3 {
			all.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					assert.NoError(t, rooms.To("a", "b").Except("c").Emit("e"))
					for _, s := range rooms.All().Sockets() {
						rooms.Join(s, fmt.Sprint("room", g))
						rooms.Leave(s, "b")
						_ = rooms.Of(s)
					}
					rooms.To("b").Join("c")
					<-time.After(time.Millisecond)
				}
			})
		}
		for range 20 {
			c := w.connect()
			c.send(`42["join",["a","b"]]`)
			<-time.After(time.Millisecond)
			c.drop()
		}
		close(stop)
		all.Wait()
		synctest.Wait()
		assert.Empty(t, rooms.Names())
		assert.Empty(t, rooms.All().Sockets())
		sockets, ids := rooms.Size()
		assert.Zero(t, sockets+ids)
	})
}
