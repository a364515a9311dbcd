package sio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestRecovery_before_the_loss_is_known(t *testing.T) {
	bubble(t, "the old connection of a client that is back is closed, and the client carries on", func(t *testing.T) {
		var d diary
		w, all := recoverable(t, history(&d))
		old, i := w.join()
		emit(t, all.last(), 1)
		i.offset = old.event(`42["e",1]`)
		emit(t, all.last(), 2)
		again := w.recovers(i)
		again.event(`42["e",2]`)
		again.quiet()
		assert.Equal(t, []string{"asked, recovering false", "forced close", "asked, recovering true"}, d.read())
		old.event(`42["e",2]`)
		old.expectClose()
		synctest.Wait()
		assert.Equal(t, 1, w.io.Len())
	})

	bubble(t, "a client that is back carries on even if nothing can be written to its old connection", func(t *testing.T) {
		w, all := recoverable(t)
		old, i := w.join()
		old.stall()
		for n := range 50 {
			emit(t, all.last(), n)
		}
		again := w.recovers(i)
		for n := range 50 {
			again.event(fmt.Sprintf(`42["e",%d]`, n))
		}
		time.Sleep(time.Minute)
		assert.Equal(t, 1, w.io.Len())
	})

	bubble(t, "of two clients with one pid, the later one has the socket", func(t *testing.T) {
		w, all := recoverable(t)
		c, i := w.join()
		c.drop()
		emit(t, all.last(), 1)
		first := w.recovers(i)
		second := w.recovers(i)
		first.event(`42["e",1]`)
		first.expectClose()
		second.event(`42["e",1]`)
		emit(t, all.last(), 2)
		second.event(`42["e",2]`)
	})
}

// In the following tests handlers hold their connection's turn, which is a mutex. To wait for a mutex does not let a
// synctest bubble's clock advance, so these tests use the real clock.

func TestRecovery_while_a_handler_is_busy(t *testing.T) {
	// busy is a server whose event "work" takes as long as the test wants.
	busy := func(t *testing.T, d *diary) (w *world, started, release chan struct{}) {
		started, release = make(chan struct{}, 1), make(chan struct{})
		w, _ = recoverable(t, history(d), func(io *sio.Server) {
			io.Of("/").On("work", func(_ context.Context, e *sio.Event) {
				started <- struct{}{}
				<-release
				d.add("worked")
				assert.NoError(t, e.Socket.Emit("e", "worked"))
			})
		})
		return w, started, release
	}
	// knocks makes a client ask to recover, and waits until that is being looked at.
	knocks := func(w *world, i identity) *client {
		c, before := w.open(), w.io.Of("/").Asked(i.pid)
		c.send("40" + i.payload())
		require.Eventually(w.t, func() bool { return w.io.Of("/").Asked(i.pid) == before+1 }, patience, time.Millisecond)
		return c
	}

	t.Run("a client that is back waits for the handler, and gets what it emits", func(t *testing.T) {
		var d diary
		w, started, release := busy(t, &d)
		old, i := w.join()
		old.send(`42["work"]`)
		<-started
		again := knocks(w, i)
		close(release)
		assert.Equal(t, i.sid, again.accepted("").sid)
		again.event(`42["e","worked"]`)
		assert.Equal(t, []string{"asked, recovering false", "worked", "forced close", "asked, recovering true"}, d.take())
	})

	t.Run("a client that has waited too long connects anew, and the socket may recover later", func(t *testing.T) {
		var d diary
		w, started, release := busy(t, &d)
		w.io.SetHandover(20 * time.Millisecond)
		old, i := w.join()
		old.send(`42["work"]`)
		<-started
		w.doesNotRecover(i)
		close(release)
		require.Eventually(t, func() bool { absent, _ := w.io.Of("/").Absent(); return absent == 1 }, patience, time.Millisecond)
		w.recovers(i).event(`42["e","worked"]`)
	})

	t.Run("of several clients that wait, the last one to come carries on", func(t *testing.T) {
		var d diary
		w, started, release := busy(t, &d)
		old, i := w.join()
		old.send(`42["work"]`)
		<-started
		first, second, third := knocks(w, i), knocks(w, i), knocks(w, i)
		close(release)
		assert.Equal(t, i.sid, third.accepted("").sid)
		assert.NotEqual(t, i.sid, first.accepted("").sid)
		assert.NotEqual(t, i.sid, second.accepted("").sid)
	})

	t.Run("Shutdown does not wait for clients that wait", func(t *testing.T) {
		var d diary
		w, started, release := busy(t, &d)
		w.io.SetHandover(time.Hour)
		old, i := w.join()
		old.send(`42["work"]`)
		<-started
		defer close(release)
		knocks(w, i)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, w.io.Shutdown(ctx, 0), context.DeadlineExceeded)
		var told []string
		for deadline := time.Now().Add(patience); len(told) < 2 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			told = append(told, d.take()...)
		}
		require.GreaterOrEqual(t, len(told), 2, "it waits")
		assert.Equal(t, "asked, recovering false", told[1])
	})
}

func TestRecovery_while_a_recovery_is_under_way(t *testing.T) {
	t.Run("a client that comes during the recovery of another carries on from the connection that was lost in between", func(t *testing.T) {
		var d diary
		asked, release := make(chan struct{}, 1), make(chan struct{})
		w, all := recoverable(t, history(&d), func(io *sio.Server) {
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				if c.Recovering {
					asked <- struct{}{}
					<-release
				}
				return nil
			})
		})
		c, i := w.join()
		require.Eventually(t, func() bool { return len(all.snapshot()) == 1 }, patience, time.Millisecond)
		s := all.snapshot()[0]
		_ = c.conn.Close()
		emit(t, s, 1)
		first := w.open()
		first.send("40" + i.payload())
		<-asked
		_ = first.conn.Close()
		second := w.open()
		second.send("40" + i.payload())
		close(release)
		assert.Equal(t, i.sid, second.accepted("").sid)
		emit(t, s, 2)
		second.event(`42["e",1]`)
		second.event(`42["e",2]`)
	})

	t.Run("a Disconnect during a recovery takes effect", func(t *testing.T) {
		w, all := recoverable(t, func(io *sio.Server) {
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				if c.Recovering {
					c.Socket.Disconnect()
				}
				return nil
			})
		})
		c, i := w.join()
		require.Eventually(t, func() bool { return len(all.snapshot()) == 1 }, patience, time.Millisecond)
		_ = c.conn.Close()
		again := w.recovers(i)
		again.expect("41")
		assert.Len(t, all.snapshot(), 1, "it has not connected again")
		_ = again.conn.Close()
		w.doesNotRecover(i)
	})

	bubble(t, "a DisconnectAll during a recovery takes the other sockets of the new connection with it", func(t *testing.T) {
		var d diary
		w, _ := recoverable(t, func(io *sio.Server) {
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				if c.Recovering {
					c.Socket.DisconnectAll()
				}
				return nil
			})
			io.Of("/other").OnDisconnect(func(_ context.Context, _ *sio.Socket, r sio.Reason) { d.add("%s", r) })
		})
		c, i := w.join()
		c.drop()
		again := w.open()
		again.send("40/other,")
		again.accepted("/other,")
		again.send("40" + i.payload())
		again.accepted("")
		again.expect("41")
		again.expect("41/other,")
		assert.Equal(t, []string{"server namespace disconnect"}, d.read())
		time.Sleep(time.Second)
		again.expectClose()
	})
}

// TestRecovery_concurrent lets clients lose their connections at any moment while several goroutines
// multicast: every client gets every event once and in order.
func TestRecovery_concurrent(t *testing.T) {
	const clients, senders, each, drops = 4, 3, 400, 15
	var mu sync.Mutex
	sockets := map[string]*sio.Socket{}
	connected := make(chan struct{}, clients*(drops+1))
	w := serve(t, recovering, func(io *sio.Server) {
		io.Of("/").OnConnect(func(_ context.Context, s *sio.Socket) {
			mu.Lock()
			defer mu.Unlock()
			sockets[s.ID()] = s
			connected <- struct{}{}
		})
	})
	all := make([]*client, clients)
	who := make([]identity, clients)
	for i := range all {
		all[i], who[i] = w.join()
		<-connected
	}
	var sending, listening sync.WaitGroup
	number := 0
	for range senders {
		sending.Go(func() {
			for i := range each {
				mu.Lock() // as a conversation's lock: it gives the numbers, and their order
				number++
				p, err := sio.PrepareRecoverable("/", "n", number)
				assert.NoError(t, err)
				sio.Multicast(func(yield func(*sio.Socket) bool) {
					for _, s := range sockets {
						if !yield(s) {
							return
						}
					}
				}, p)
				mu.Unlock()
				if i%10 == 0 {
					time.Sleep(time.Millisecond) // it spreads the load over the lives
				}
			}
		})
	}
	for i := range clients {
		listening.Go(func() {
			random := rand.New(rand.NewPCG(5, uint64(i)))
			c, me, last := all[i], who[i], 0
			for range drops {
				for range random.IntN(60) {
					if last < senders*each {
						last++
						me.offset = c.event(fmt.Sprintf(`42["n",%d]`, last))
					}
				}
				_ = c.conn.Close()
				for m := range c.messages { // it has answered for them
					last++
					me.offset = offsets.FindStringSubmatch(m)[2]
				}
				c = w.recovers(me)
			}
			for last < senders*each {
				last++
				c.event(fmt.Sprintf(`42["n",%d]`, last))
			}
		})
	}
	listening.Wait()
	sending.Wait()
	for range clients * drops {
		<-connected
	}
	assert.Len(t, sockets, clients)
	assert.Empty(t, w.logs.String())
}
