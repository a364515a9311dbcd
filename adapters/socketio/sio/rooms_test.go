package sio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

// house serves rooms in "/": clients join by "join" and leave by "leave".
func house(t *testing.T, config sio.Config) (*world, *sio.Rooms) {
	t.Helper()
	var rooms *sio.Rooms
	w := serve(t, config, func(io *sio.Server) {
		rooms = io.Of("/").Rooms()
		assert.Same(t, rooms, io.Of("/").Rooms())
		occupy(io.Of("/"))
	})
	return w, rooms
}

func occupy(n *sio.Namespace) {
	n.On("join", sio.Typed(func(_ context.Context, e *sio.Event, names []string) error {
		return e.Ack(n.Rooms().Join(e.Socket, names...))
	}))
	n.On("leave", sio.Typed(func(_ context.Context, e *sio.Event, names []string) error {
		n.Rooms().Leave(e.Socket, names...)
		return e.Ack(true)
	}))
}

// in opens a client that is in the rooms, which its names are one letter each of.
func (w *world) in(names string) *client {
	w.t.Helper()
	c := w.connect()
	c.enter(names)
	return c
}

func (c *client) enter(names string) {
	c.t.Helper()
	list, err := json.Marshal(strings.Split(names, ""))
	require.NoError(c.t, err)
	c.send(`421["join",` + string(list) + `]`)
	c.expect(`431[true]`)
}

func TestRooms(t *testing.T) {
	inBubble(t, "an audience is chosen by rooms and sockets, and each socket hears once", func(t *testing.T) {
		w, rooms := house(t, sio.Config{})
		clients := map[string]*client{}
		for _, names := range []string{"a", "b", "ab", "abc"} {
			clients[names] = w.in(names)
		}
		clients["-"] = w.connect()
		synctest.Wait()
		var inB *sio.Socket
		for _, s := range rooms.To("b").Except("a").Sockets() {
			inB = s
		}
		require.NotNil(t, inB)
		assert.Equal(t, []string{"b"}, rooms.Of(inB))
		assert.Same(t, inB, rooms.Find(inB.ID()))
		assert.Nil(t, rooms.Find("nobody"))
		assert.True(t, rooms.Has(inB, "b"))
		assert.False(t, rooms.Has(inB, "a"))
		assert.Equal(t, []string{"a", "b", "c"}, rooms.Names())

		toA := rooms.To("a")
		for _, tc := range []struct {
			who  sio.Audience
			want string
		}{
			{rooms.All(), "- a ab abc b"},
			{rooms.All().Except("a"), "- b"},
			{rooms.All().Except("a").Without(inB), "-"},
			{rooms.All().Except("a", "b"), "-"},
			{rooms.All().Except("a").Except("b"), "-"},
			{toA, "a ab abc"},
			{rooms.To("a", "b"), "a ab abc b"},
			{rooms.To("c", "b", "a", "c"), "a ab abc b"},
			{rooms.To("a", "b").Without(inB), "a ab abc"},
			{rooms.To("a", "b").Except("c"), "a ab b"},
			{rooms.To("a").Volatile(), "a ab abc"},
			{toA.Except("c"), "a ab"},
			{toA.Except("b"), "a"},
			{toA, "a ab abc"},
			{rooms.To(), ""},
			{rooms.To("nowhere"), ""},
			{rooms.All().In("/"), "- a ab abc b"},
			{rooms.All().In("/other"), ""},
		} {
			require.NoError(t, tc.who.Emit("e", []byte{1}))
			var heard []string
			for _, name := range []string{"-", "a", "ab", "abc", "b"} {
				if strings.Contains(" "+tc.want+" ", " "+name+" ") {
					clients[name].expect(`451-["e",{"_placeholder":true,"num":0}]`, "<01>")
					heard = append(heard, name)
				}
				clients[name].quiet()
			}
			assert.Equal(t, tc.want, strings.Join(heard, " "))
			assert.Len(t, tc.who.Sockets(), len(heard))
		}
		assert.Error(t, rooms.All().Emit("e", func() {}))
		assert.ErrorIs(t, rooms.All().Emit("disconnect"), sio.ErrReservedEvent)
	})

	inBubble(t, "those who leave, or are gone, are in them no more, and empty rooms vanish", func(t *testing.T) {
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

	inBubble(t, "they can be seen, and told, in OnDisconnect", func(t *testing.T) {
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

	inBubble(t, "a socket that middleware puts into them and refuses then leaves them", func(t *testing.T) {
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

	inBubble(t, "are not those of another namespace", func(t *testing.T) {
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

func TestRooms_audience(t *testing.T) {
	inBubble(t, "can be put into rooms, taken out of them and disconnected", func(t *testing.T) {
		w, rooms := house(t, sio.Config{})
		first, second, third := w.in("a"), w.in("a"), w.in("b")
		rooms.To("a").Join("c", "d")
		rooms.To("c").Join("c")
		assert.Len(t, rooms.To("d").Sockets(), 2)
		rooms.All().Leave("d")
		assert.Equal(t, []string{"a", "b", "c"}, rooms.Names())
		rooms.To("c").Disconnect()
		first.expect("41")
		second.expect("41")
		third.quiet()
		assert.Equal(t, []string{"b"}, rooms.Names())
	})

	inBubble(t, "is asked for acks, by both parsers", func(t *testing.T) {
		var d diary
		w, rooms := house(t, packing)
		first, second, third, other := w.in("a"), w.in("a"), w.in("b"), w.connectPacked()
		other.send(`421["join",["a"]]`)
		other.expect(`431[true]`)
		third.quiet()
		require.NoError(t, rooms.To("a").Gather(time.Second, func(answers []sio.Answer) {
			for _, a := range answers {
				if a.Err != nil {
					d.add("%v", a.Err)
					continue
				}
				var vote string
				assert.NoError(t, a.Reply.Bind(&vote))
				d.add("%s", vote)
			}
		}, "vote", "now"))
		ask := first.next()
		id := strings.TrimSuffix(strings.TrimPrefix(ask, "42"), `["vote","now"]`)
		second.expect(ask)
		other.expect(ask)
		other.send("43" + id + `["yes"]`)
		first.send("43"+id+`["no"]`, "43"+id+`["again"]`)
		assert.Empty(t, d.read(), "not before all have answered")
		<-time.After(time.Second)
		lines := d.read()
		assert.ElementsMatch(t, []string{"yes", "no", "sio: no ack in time"}, lines)
		assert.Equal(t, "sio: no ack in time", lines[2])
		third.quiet()
	})

	inBubble(t, "of nobody has answered at once, and one that goes has failed to", func(t *testing.T) {
		var d diary
		w, rooms := house(t, sio.Config{})
		note := func(answers []sio.Answer) {
			d.add("%d", len(answers))
			for _, a := range answers {
				d.add("%v", a.Err)
			}
		}
		require.NoError(t, rooms.All().Gather(time.Second, note, "vote"))
		assert.Equal(t, []string{"0"}, d.read())
		c := w.in("a")
		require.NoError(t, rooms.All().Gather(time.Second, note, "vote"))
		c.next()
		c.drop()
		assert.Equal(t, []string{"1", "sio: disconnected before the ack"}, d.read())
		assert.Error(t, rooms.All().Gather(time.Second, note, "vote", func() {}))
		assert.Empty(t, d.read())
		w.in("b")
		require.NoError(t, rooms.To("b").Ask(time.Second, func(_ *sio.Socket, _ *sio.Reply, err error) { d.add("%v", err) }, "vote"))
		<-time.After(time.Second)
		assert.Equal(t, []string{"sio: no ack in time"}, d.read())
	})

	inBubble(t, "of namespaces by rule is of all of them, or of one", func(t *testing.T) {
		var rooms *sio.Rooms
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			n := io.OfMatching(func(name string, _ json.RawMessage) bool { return strings.HasPrefix(name, "/r") })
			rooms = n.Rooms()
			n.OnConnect(func(_ context.Context, s *sio.Socket) {
				assert.Same(t, rooms, s.Namespace().Rooms())
				assert.True(t, rooms.Join(s, "a"))
			})
		})
		c := w.open()
		for _, name := range []string{"/r1", "/r2"} {
			c.send("40" + name + ",")
			c.connected(name + ",")
		}
		synctest.Wait()
		require.NoError(t, rooms.To("a").In("/r2").Emit("one"))
		c.expect(`42/r2,["one"]`)
		require.NoError(t, rooms.To("a").Emit("all"))
		assert.ElementsMatch(t, []string{`42/r1,["all"]`, `42/r2,["all"]`}, []string{c.next(), c.next()})
		asked := 0
		require.NoError(t, rooms.All().Ask(time.Second, func(*sio.Socket, *sio.Reply, error) { asked++ }, "ask"))
		require.NoError(t, rooms.All().In("/r1").Gather(time.Second, func(a []sio.Answer) { asked += 10 * len(a) }, "ask"))
		for range 3 {
			c.next()
		}
		<-time.After(time.Second)
		synctest.Wait()
		assert.Equal(t, 12, asked)
		c.quiet()
	})
}

func TestRooms_recovery(t *testing.T) {
	inBubble(t, "an absent socket stays in them and misses nothing", func(t *testing.T) {
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

	inBubble(t, "one that does not come back leaves them", func(t *testing.T) {
		w, rooms := house(t, recovering)
		c, _ := w.join()
		c.enter("a")
		c.drop()
		assert.Equal(t, []string{"a"}, rooms.Names())
		<-time.After(window + time.Millisecond)
		synctest.Wait()
		assert.Empty(t, rooms.Names())
	})

	inBubble(t, "one that is sent away while absent leaves them", func(t *testing.T) {
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
	inBubble(t, "all members hear the same order, whoever emits", func(t *testing.T) {
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

	inBubble(t, "sockets that come and go leave nothing behind", func(t *testing.T) {
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
