package sio_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestPrepareAsking(t *testing.T) {
	noting := func(d *diary) func(*sio.Server) {
		return func(io *sio.Server) {
			io.Of("/").OnAck(func(_ context.Context, s *sio.Socket, id uint64, r *sio.Reply) {
				assert.NotEmpty(t, s.ID())
				d.add("%d: %s", id, r.Args)
			})
		}
	}

	bubble(t, "one event asks many, and each ack comes with the caller's id", func(t *testing.T) {
		var d diary
		w, all := recoverable(t, noting(&d))
		a, _ := w.join()
		b, _ := w.join()
		p, err := sio.PrepareAsking("/", "m", 7, "x")
		require.NoError(t, err)
		synctest.Wait()
		sio.Multicast(slices.Values(all.snapshot()), p)
		a.expect(`4214["m","x"]`)
		b.expect(`4214["m","x"]`)
		b.send(`4314[]`)
		assert.Equal(t, []string{"7: []"}, d.read())
		a.send(`4314["read",1]`)
		assert.Equal(t, []string{`7: ["read" 1]`}, d.read())
	})

	bubble(t, "OnAck also gets acks that nobody asked for, but not those of Ask", func(t *testing.T) {
		var d diary
		w, all := recoverable(t, noting(&d))
		c, _ := w.join()
		var answered diary
		require.NoError(t, all.last().Ask(window, answers(&answered, "ask"), "q"))
		id := c.asked(`42["q"]`)
		c.send(`430[]`, `4318446744073709551614[]`, `4318446744073709551615[]`, `43`+id+`["a"]`)
		assert.Equal(t, []string{"0: []", "9223372036854775807: []"}, d.read())
		assert.Equal(t, []string{`ask: ["a"]`}, answered.read())
	})

	bubble(t, "without OnAck acks are ignored", func(t *testing.T) {
		w, _ := recoverable(t)
		c, _ := w.join()
		c.send(`434[]`, `421["echo"]`)
		c.expect(`431[]`)
	})

	bubble(t, "an event that was not acked is recovered and one that was is not, wherever the offset stands", func(t *testing.T) {
		for _, ask := range []struct {
			name           string
			acked, between bool
			want           []string
		}{
			{"lost", false, false, []string{`428["m",4]`}},
			{"acked", true, false, nil},
			{"lost, before others", false, true, []string{`428["m",4]`}},
			{"acked, before others", true, true, nil},
		} {
			var d diary
			w, all := recoverable(t, noting(&d))
			c, i := w.join()
			s := all.last()
			emit(t, s, "first")
			i.offset = c.event(`42["e","first"]`)
			p, err := sio.PrepareAsking("/", "m", 4, 4)
			require.NoError(t, err)
			s.Send(p)
			c.expect(`428["m",4]`)
			if ask.acked {
				c.send(`438[]`)
				d.read()
			}
			if ask.between {
				require.NoError(t, s.Emit("v"))
				c.event(`42["v"]`) // got, but the client says that it has not
			}
			c.drop()
			emit(t, s, "last")
			again := w.recovers(i)
			again.expect(ask.want...)
			if ask.between {
				again.event(`42["v"]`)
			}
			again.event(`42["e","last"]`)
			again.quiet()
		}
	})

	bubble(t, "an asking event after a volatile one is not part of it", func(t *testing.T) {
		w, all := recoverable(t)
		c, i := w.join()
		s := all.last()
		c.drop()
		gone, err := sio.PrepareRecoverable("/", "v")
		require.NoError(t, err)
		p, err := sio.PrepareAsking("/", "m", 4, 4)
		require.NoError(t, err)
		s.Send(gone.Volatile())
		s.Send(p)
		again := w.recovers(i)
		again.expect(`428["m",4]`)
		again.quiet()
	})
}

func TestEvent_Emit(t *testing.T) {
	bubble(t, "an event emitted by a handler follows the ack and does not count against the outbox", func(t *testing.T) {
		config := sio.Config{}
		config.Engine.OutboxBytes = 1000
		w := serve(t, config, func(io *sio.Server) {
			io.Of("/").On("all", func(_ context.Context, e *sio.Event) {
				assert.NoError(t, e.Ack("now"))
				for n := range 200 {
					assert.NoError(t, e.Emit("part", n, "some more text"))
				}
			})
		})
		c := w.connect()
		c.send(`421["all"]`)
		c.expect(`431["now"]`)
		for range 200 {
			assert.Regexp(t, `^42\["part",\d+,"some more text"\]$`, c.next())
		}
		c.quiet()
	})

	for name, proved := range map[string]bool{
		"is a place to carry on from":                            false,
		"is a place to carry on from, also after a proved event": true,
	} {
		bubble(t, name, func(t *testing.T) {
			w, all := recoverable(t, answering)
			c, i := w.join()
			s := all.last()
			emit(t, s, "before")
			i.offset = c.event(`42["e","before"]`)
			if proved {
				<-time.After(time.Minute) // with a ping, and its pong
			}
			c.send(`42["all"]`)
			i.offset = c.event(`42["part",0]`)
			c.drop()
			emit(t, s, "behind")
			again := w.recovers(i)
			again.event(`42["part",1]`)
			again.event(`42["part",2]`)
			again.event(`42["e","behind"]`)
			again.quiet()
		})
	}

	bubble(t, "an event emitted by a handler is recovered", func(t *testing.T) {
		w, all := recoverable(t, func(io *sio.Server) {
			io.Of("/").On("late", func(_ context.Context, e *sio.Event) {
				e.Socket.Close()
				assert.NoError(t, e.Emit("part", 0))
			})
		})
		c, i := w.join()
		emit(t, all.last(), "before")
		i.offset = c.event(`42["e","before"]`)
		c.send(`42["late"]`)
		c.expectClose()
		again := w.recovers(i)
		again.event(`42["part",0]`)
		again.quiet()
	})
}

// answering makes "all" answer in parts.
func answering(io *sio.Server) {
	io.Of("/").On("all", func(_ context.Context, e *sio.Event) {
		for n := range 3 {
			_ = e.Emit("part", n) // a number always encodes
		}
	})
}
