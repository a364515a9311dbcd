package sio_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestRooms_audience(t *testing.T) {
	bubble(t, "an audience is chosen by rooms and sockets, and each socket hears once", func(t *testing.T) {
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

	bubble(t, "an audience can be put into rooms, taken out of them and disconnected", func(t *testing.T) {
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

	bubble(t, "an audience is asked for acks, with both parsers", func(t *testing.T) {
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

	bubble(t, "an empty audience has answered at once, and a socket that disconnects has failed to", func(t *testing.T) {
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

	bubble(t, "an audience of namespaces by rule is in all of them, or in one", func(t *testing.T) {
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
