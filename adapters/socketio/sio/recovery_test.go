package sio_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestRecovery_wire(t *testing.T) {
	bubble(t, "CONNECT is answered with a pid, a secret apart from the socket's id", func(t *testing.T) {
		w, _ := recoverable(t)
		seen := map[string]bool{}
		for range 20 {
			_, i := w.join()
			seen[i.sid], seen[i.pid] = true, true
		}
		assert.Len(t, seen, 40)
	})

	bubble(t, "every event carries an offset as its last argument: emitted, prepared, volatile or binary", func(t *testing.T) {
		w, all := recoverable(t, func(io *sio.Server) { io.Of("/a") })
		c, _ := w.join()
		s := all.last()
		prepared, err := sio.PrepareRecoverable("/", "p", map[string]int{"n": 1})
		require.NoError(t, err)
		emit(t, s)
		emit(t, s, "a string")
		emit(t, s, []byte{1}, []byte{2})
		sio.Multicast(slices.Values(all.snapshot()), prepared)
		s.Send(prepared.Volatile())
		got := []string{c.event(`42["e"]`), c.event(`42["e","a string"]`)}
		got = append(got, c.event(`452-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`))
		c.expect("<01>", "<02>")
		got = append(got, c.event(`42["p",{"n":1}]`))
		assert.Equal(t, got[3], c.event(`42["p",{"n":1}]`), "it is of the event, not of the sending")
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(got))), 4)
	})

	bubble(t, "acks, and events that ask for one, carry no offset", func(t *testing.T) {
		w, all := recoverable(t)
		c, _ := w.join()
		require.NoError(t, all.last().Ask(time.Second, func(*sio.Reply, error) {}, "ask", 1))
		assert.Regexp(t, `^42\d+\["ask",1\]$`, c.next())
		c.send(`427["echo","x"]`)
		c.expect(`437["x"]`)
	})

	bubble(t, "without Config.Recovery there is neither a pid nor an offset, and a pid means nothing", func(t *testing.T) {
		var all crowd
		w := serve(t, sio.Config{}, func(io *sio.Server) { all.gather(io.Of("/")) })
		c := w.open()
		c.send(`40{"pid":"x","offset":"y"}`)
		c.connected("")
		emit(t, all.last(), 1)
		c.expect(`42["e",1]`)
		absent, known := w.io.Of("/").Absent()
		assert.Zero(t, absent+known)
	})
}

func TestRecovery(t *testing.T) {
	bubble(t, "the same socket gets the answer, then what it missed, then what is live", func(t *testing.T) {
		var d diary
		w, all := recoverable(t, history(&d))
		first, i := w.join()
		assert.False(t, all.last().Recovered())
		first.send(`421["echo"]`)
		first.expect("431[]")
		first.send("1")
		first.expectClose()
		assert.Equal(t, []string{"asked, recovering false", "transport close"}, d.read())

		second := w.recovers(i)
		s := all.last()
		assert.Equal(t, i.sid, s.ID())
		assert.True(t, s.Recovered())
		second.send(`422["echo",2]`)
		second.expect("432[2]")
		assert.Equal(t, []string{"asked, recovering true"}, d.read())
	})

	bubble(t, "a client recovers from any offset that it was sent", func(t *testing.T) {
		for place := range 6 {
			w, all := recoverable(t)
			c, i := w.join()
			s := all.last()
			for n := range 5 {
				emit(t, s, n)
			}
			for n := range place {
				i.offset = c.event(fmt.Sprintf(`42["e",%d]`, n))
			}
			c.drop()
			emit(t, s, 5)
			again := w.recovers(i)
			emit(t, s, 6)
			for n := place; n < 7; n++ {
				again.event(fmt.Sprintf(`42["e",%d]`, n))
			}
			again.quiet()
			assert.Same(t, s, all.last())
		}
	})

	bubble(t, "a client that has got no event recovers, and so does one with an offset of an earlier server", func(t *testing.T) {
		for _, offset := range []string{"", "0", "anything", "zzzzzzzzzzz"} {
			w, all := recoverable(t)
			c, i := w.join()
			c.drop()
			emit(t, all.last(), 1)
			i.offset = offset
			w.recovers(i).event(`42["e",1]`)
		}
	})

	bubble(t, "a client that was sent nothing for hours recovers", func(t *testing.T) {
		for _, events := range []int{0, 1} {
			w, all := recoverable(t)
			c, i := w.join()
			for range events {
				emit(t, all.last(), "once")
				i.offset = c.event(`42["e","once"]`)
			}
			time.Sleep(5 * time.Hour)
			c.drop()
			emit(t, all.last(), "meanwhile")
			w.recovers(i).event(`42["e","meanwhile"]`)
		}
	})

	bubble(t, "volatile events do not prevent recovery, whatever they carry, and are not repeated", func(t *testing.T) {
		w, all := recoverable(t)
		c, i := w.join()
		s := all.last()
		volatile := func(arg string) {
			p, err := sio.PrepareRecoverable("/", "v", arg)
			require.NoError(t, err)
			s.Send(p.Volatile())
		}
		emit(t, s, 1)
		volatile("connected")
		c.event(`42["e",1]`)
		i.offset = c.event(`42["v","connected"]`)
		volatile("lost")
		emit(t, s, 2)
		c.drop()
		volatile("lost too")
		emit(t, s, 3)
		again := w.recovers(i)
		again.event(`42["e",2]`)
		again.event(`42["e",3]`)
		again.quiet()
	})

	bubble(t, "missed binary events arrive whole", func(t *testing.T) {
		w, all := recoverable(t)
		c, i := w.join()
		emit(t, all.last(), []byte{1})
		i.offset = c.event(`451-["e",{"_placeholder":true,"num":0}]`)
		c.expect("<01>")
		emit(t, all.last(), []byte{2}, []byte{3})
		c.drop()
		emit(t, all.last(), 4)
		again := w.recovers(i)
		again.event(`452-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
		again.expect("<02>", "<03>")
		again.event(`42["e",4]`)
		again.quiet()
	})

	bubble(t, "a client recovers repeatedly, even if it has read nothing in between", func(t *testing.T) {
		w, all := recoverable(t)
		c, i := w.join()
		s := all.last()
		for n := range 30 {
			emit(t, s, n)
			c.drop()
			c = w.recovers(i)
		}
		for n := range 30 {
			i.offset = c.event(fmt.Sprintf(`42["e",%d]`, n))
		}
		c.drop()
		w.recovers(i).quiet()
		assert.Equal(t, 1, w.io.Len())
	})

	bubble(t, "a recovered socket keeps its Value and its namespace", func(t *testing.T) {
		w, all := recoverable(t, func(io *sio.Server) {
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				assert.Equal(t, c.Recovering, c.Socket.Value == "mine")
				c.Socket.Value = "mine"
				assert.Equal(t, "/", c.Socket.Namespace().Name())
				return nil
			})
		})
		c, i := w.join()
		c.drop()
		w.recovers(i)
		assert.Equal(t, "mine", all.last().Value)
	})

	bubble(t, "each namespace recovers by itself", func(t *testing.T) {
		var other crowd
		w, all := recoverable(t, func(io *sio.Server) { other.gather(io.Of("/a")) })
		c, i := w.join()
		c.send("40/a,")
		a := c.accepted("/a,")
		emit(t, all.last(), 1)
		emit(t, other.last(), 2)
		i.offset = c.event(`42["e",1]`)
		c.drop()
		emit(t, other.last(), 3)
		again := w.recovers(i)
		again.quiet()
		emit(t, all.last(), 4)
		again.event(`42["e",4]`)
		again.send("40/a," + a.payload())
		assert.Equal(t, a, again.accepted("/a,"))
		again.event(`42/a,["e",2]`)
		again.event(`42/a,["e",3]`)
		again.quiet()
	})

	bubble(t, "what middleware emits comes after what was missed", func(t *testing.T) {
		w, all := recoverable(t, func(io *sio.Server) {
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				emit(t, c.Socket, "middleware") // to a new socket it says nothing
				return nil
			})
		})
		c, i := w.join()
		c.quiet()
		c.drop()
		emit(t, all.last(), "missed")
		again := w.recovers(i)
		emit(t, all.last(), "live")
		again.event(`42["e","missed"]`)
		again.event(`42["e","middleware"]`)
		again.event(`42["e","live"]`)
	})
}

func TestRecovery_window(t *testing.T) {
	bubble(t, "a moment before the window's end the client recovers", func(t *testing.T) {
		w, all := recoverable(t)
		c, i := w.join()
		c.drop()
		time.Sleep(window - time.Millisecond)
		emit(t, all.last(), "late")
		w.recovers(i).event(`42["e","late"]`)
	})

	bubble(t, "after the window the client connects anew, the old socket is gone, and OnDisconnect is not called again", func(t *testing.T) {
		var d diary
		w, all := recoverable(t, history(&d))
		c, i := w.join()
		c.drop()
		d.read()
		time.Sleep(window)
		synctest.Wait()
		absent, known := w.io.Of("/").Absent()
		assert.Zero(t, absent+known)
		again := w.doesNotRecover(i)
		emit(t, all.snapshot()[0], "to nobody")
		again.quiet()
		assert.Equal(t, []string{"asked, recovering false"}, d.read())
	})

	bubble(t, "each absence starts a new window", func(t *testing.T) {
		w, _ := recoverable(t)
		c, i := w.join()
		for range 5 {
			c.drop()
			time.Sleep(window - time.Second)
			c = w.recovers(i)
			time.Sleep(window + time.Second)
			c.quiet()
		}
	})

	bubble(t, "if too many are absent, the client that was lost first connects anew", func(t *testing.T) {
		w := serve(t, sio.Config{Recovery: window, MaxAbsent: 3}, func(*sio.Server) {})
		var gone []identity
		for range 5 {
			c, i := w.join()
			c.drop()
			gone = append(gone, i)
		}
		absent, known := w.io.Of("/").Absent()
		assert.Equal(t, []int{3, 3}, []int{absent, known})
		for _, i := range gone[2:] {
			w.recovers(i)
		}
		for _, i := range gone[:2] {
			w.doesNotRecover(i)
		}
	})

	bubble(t, "after Shutdown no absent socket is kept", func(t *testing.T) {
		w, all := recoverable(t)
		c, _ := w.join()
		c.drop()
		w.join()
		require.NoError(t, w.io.Shutdown(context.Background(), 0))
		absent, known := w.io.Of("/").Absent()
		assert.Zero(t, absent+known)
		for _, s := range all.snapshot() {
			emit(t, s, "to nobody")
		}
	})
}
