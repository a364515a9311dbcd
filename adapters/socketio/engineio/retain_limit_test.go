package engineio_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

// numbered returns the offsets from..to, and sends their events.
func (p *peer) numbered(from, to int) []string {
	var offsets []string
	for i := from; i <= to; i++ {
		offsets = append(offsets, fmt.Sprint("a", i))
		p.session.Send(event("a", offsets[len(offsets)-1]))
	}
	return offsets
}

func TestRetain_limits(t *testing.T) {
	bubble(t, "one packet too many, and nothing can be resumed until the client has proved them", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Retain: 8})
		ws := k.openWebSocket()
		ws.peer.numbered(1, 8)
		ws.peer.session.Send(event("b", "b1"))
		assert.Len(t, ws.readText(10), 10) // a ping among them
		ws.drop()
		assert.Nil(t, k.resumed(ws.peer, "a", "a8"))
		assert.Nil(t, k.resumed(ws.peer, "b", "b1"))
		assert.Nil(t, k.resumed(ws.peer, "a", ""))
	})

	bubble(t, "as many as there may be can be resumed", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Retain: 8})
		ws := k.openWebSocket()
		offsets := ws.peer.numbered(1, 8)
		ws.drop()
		assert.Equal(t, offsets, k.resumed(ws.peer, "a", ""))
	})

	bubble(t, "the pong that was on its way when it was too much does not heal it, the next one does", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Retain: 8})
		ws := k.openWebSocket()
		ws.peer.numbered(1, 3)
		ws.readText(3)
		require.Equal(t, text("2"), ws.read())
		ws.peer.numbered(4, 12)
		ws.readText(9)
		ws.sendText("3")
		synctest.Wait()
		assert.False(t, ws.peer.session.CanResume("a", "a12"))
		ws.peer.numbered(13, 15)
		assert.Equal(t, []string{"4a13", "2", "4a14", "4a15"}, ws.readText(4), "it asks again soon")
		assert.False(t, ws.peer.session.CanResume("a", "a15"))
		ws.sendText("3")
		synctest.Wait()
		ws.drop()
		assert.Equal(t, []string{}, k.resumed(ws.peer, "a", "a15"))
	})

	bubble(t, "after the end there may be four times as many, and then it is over for good", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Retain: 8})
		ws := k.openWebSocket()
		ws.drop()
		ws.peer.numbered(1, 32)
		assert.True(t, ws.peer.session.CanResume("a", ""))
		kept := func() weak.Pointer[engineio.Packet] { // in a call of its own, so that nothing here holds it
			last := event("a", "a33")
			ws.peer.session.Send(last)
			return weak.Make(last)
		}()
		assert.False(t, ws.peer.session.CanResume("a", ""))
		ws.peer.numbered(34, 40)
		assert.Nil(t, k.resumed(ws.peer, "a", "a33"))
		runtime.GC()
		assert.Nil(t, kept.Value(), "remembered for nobody")
	})

	bubble(t, "large packets are bounded by their bytes", func(t *testing.T) {
		k := inMemory(t, retaining)
		c := k.handshake()
		c.peer.session.Close()
		large := func(i int) *engineio.Packet {
			return textPacket(strings.Repeat("x", 4<<20-20)).Retain("a", fmt.Sprint(i))
		}
		for i := range 4 {
			c.peer.session.Send(large(i))
		}
		assert.True(t, c.peer.session.CanResume("a", "0"))
		c.peer.session.Send(event("a", strings.Repeat("y", 100)))
		assert.False(t, c.peer.session.CanResume("a", "0"))
	})

	bubble(t, "what was handed over counts apart, as long as it is not proved", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Retain: 8})
		ws := k.openWebSocket()
		ws.drop()
		offsets := ws.peer.numbered(1, 20)
		for range 3 { // connections that break off at once
			next := k.openWebSocket()
			require.True(t, ws.peer.session.Resume(next.peer.session, "a", ""))
			next.drop()
			ws = next
		}
		next := k.openWebSocket()
		require.True(t, ws.peer.session.Resume(next.peer.session, "a", ""))
		next.peer.numbered(21, 28)
		assert.True(t, next.peer.session.CanResume("a", "a3"))
		for i, offset := range offsets {
			assert.Equal(t, text("4"+offset), next.read(), i)
		}
		assert.Equal(t, text("2"), next.read(), "so much is to be proved at once")
		next.sendText("3")
		next.readText(8)
		synctest.Wait()
		assert.True(t, next.peer.session.CanResume("a", "a28"))
		next.peer.numbered(29, 29) // the ninth of its own
		assert.False(t, next.peer.session.CanResume("a", "a28"))
	})

	bubble(t, "what was handed over has no end either, though", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Retain: 8})
		ws := k.openWebSocket()
		ws.drop()
		ws.peer.numbered(1, 32)
		next := k.openWebSocket()
		require.True(t, ws.peer.session.Resume(next.peer.session, "a", ""))
		assert.True(t, next.peer.session.CanResume("a", ""))
		next.peer.numbered(33, 33)
		assert.False(t, next.peer.session.CanResume("a", ""))
	})
}

func TestRetain_outbox(t *testing.T) {
	config := engineio.Config{Retain: 100, OutboxBytes: 1000}

	bubble(t, "volatile packets that gave way are not what the client is expected to have", func(t *testing.T) {
		k := inMemory(t, config)
		ws := k.openWebSocket()
		ws.peer.session.Send(event("a", "a1"))
		synctest.Wait() // a1 is being written, and the outbox is empty
		ws.peer.session.Send(event("a", "v1"+strings.Repeat("v", 600)).Volatile())
		ws.peer.session.Send(event("a", "a2"+strings.Repeat("k", 600)))
		ws.peer.session.Send(event("a", "v2"+strings.Repeat("v", 600)).Volatile())
		assert.Len(t, ws.readText(2), 2)
		ws.prove(0)
		ws.drop()
		assert.Equal(t, []string{}, k.resumed(ws.peer, "a", "a2"+strings.Repeat("k", 600)))
	})

	bubble(t, "those in front of the ones that gave way were sent", func(t *testing.T) {
		k := inMemory(t, config)
		ws := k.openWebSocket()
		ws.peer.session.Send(event("a", "v1").Volatile())
		synctest.Wait()
		ws.peer.session.Send(event("a", "v2"+strings.Repeat("v", 600)).Volatile())
		ws.peer.session.Send(event("a", strings.Repeat("k", 600)))
		ws.drop()
		assert.True(t, ws.peer.session.CanResume("a", "v1"))
		assert.Equal(t, []string{strings.Repeat("k", 600)}, k.resumed(ws.peer, "a", "v1"))
	})

	bubble(t, "a client that is let go for being slow gets what it did not read", func(t *testing.T) {
		k := inMemory(t, config)
		ws := k.openWebSocket()
		ws.peer.session.Send(event("a", "a1"))
		synctest.Wait()
		two, three := strings.Repeat("2", 600), strings.Repeat("3", 600)
		ws.peer.session.Send(event("a", two))
		ws.peer.session.Send(event("a", three))
		synctest.Wait()
		require.Equal(t, only(engineio.ReasonSlowClient), ws.peer.ended())
		assert.Equal(t, []string{"a1", two, three}, k.resumed(ws.peer, "a", ""))
	})

	bubble(t, "what is handed over may be more than an outbox holds, and does not count in it", func(t *testing.T) {
		k := inMemory(t, config)
		c := k.handshake()
		c.peer.session.Close()
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i, strings.Repeat("x", 500)))
			c.peer.session.Send(event("a", want[i]))
		}
		next := k.handshake()
		require.True(t, c.peer.session.Resume(next.peer.session, "a", ""))
		next.peer.session.Send(event("a", strings.Repeat("y", 900)))
		assert.Equal(t, "4"+strings.Join(append(want, strings.Repeat("y", 900)), "\x1e4"), next.poll())
		next.peer.session.Send(event("a", "a1"))
		next.peer.session.Send(event("a", strings.Repeat("z", 1000)))
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonSlowClient), next.peer.ended(), "but what comes later does")
	})
}

func TestRetain_ping(t *testing.T) {
	config := engineio.Config{Retain: 100_000}
	// pings counts them, and answers each, while n events are read.
	pings := func(ws *wsClient, n int) (pings int) {
		for n > 0 {
			if f := ws.read(); f == text("2") {
				pings++
				ws.sendText("3")
				synctest.Wait()
				continue
			}
			n--
		}
		return pings
	}

	bubble(t, "a busy session is pinged every 512 packets, behind what is to be proved", func(t *testing.T) {
		ws := inMemory(t, config).openWebSocket()
		ws.peer.numbered(1, 512)
		assert.Zero(t, pings(ws, 512))
		start := time.Now()
		ws.peer.numbered(513, 513)
		ws.readText(1)
		assert.Equal(t, text("2"), ws.read())
		assert.Zero(t, time.Since(start))
		ws.peer.numbered(514, 5000)
		assert.Zero(t, pings(ws, 4487), "one at a time")
		ws.sendText("3")
		synctest.Wait()
		ws.peer.numbered(5001, 5001)
		ws.readText(1)
		assert.Equal(t, text("2"), ws.read(), "there is more to prove already")
		ws.sendText("3")
		synctest.Wait()
		start = time.Now()
		ws.peer.numbered(5002, 5513)
		assert.Zero(t, pings(ws, 512))
		assert.Equal(t, text("2"), ws.read())
		assert.Equal(t, interval, time.Since(start), "the next one in its time")
	})

	bubble(t, "and not more than needed", func(t *testing.T) {
		ws := inMemory(t, config).openWebSocket()
		count := 0
		for i := range 10 {
			ws.peer.numbered(1000*i, 1000*i+999)
			count += pings(ws, 1000)
		}
		assert.LessOrEqual(t, count, 10_000/512)
		assert.GreaterOrEqual(t, count, 9)
	})

	bubble(t, "a megabyte is pinged for too", func(t *testing.T) {
		ws := inMemory(t, config).openWebSocket()
		for i := range 3 {
			ws.peer.session.Send(textPacket(strings.Repeat("x", 400_000)).Retain("a", fmt.Sprint(i)))
			assert.Len(t, ws.readText(1), 1)
		}
		start := time.Now()
		assert.Equal(t, text("2"), ws.read())
		assert.Zero(t, time.Since(start))
	})

	bubble(t, "a session that remembers little is pinged when a quarter of it is used", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{Retain: 40}).openWebSocket()
		ws.peer.numbered(1, 11)
		ws.readText(11)
		start := time.Now()
		assert.Equal(t, text("2"), ws.read())
		assert.Zero(t, time.Since(start))
	})

	bubble(t, "a client that does not answer it is let go in the usual time", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{Retain: 40}).openWebSocket()
		ws.peer.numbered(1, 11)
		ws.readText(12)
		start := time.Now()
		assert.Equal(t, hungUp, ws.read())
		assert.Equal(t, timeout, time.Since(start))
	})

	bubble(t, "packets that are not remembered ask for no proof", func(t *testing.T) {
		for _, config := range []engineio.Config{{Retain: 40}, {}} {
			ws := inMemory(t, config).openWebSocket()
			for range 2000 {
				ws.peer.session.Send(textPacket("unmarked"))
			}
			if config.Retain == 0 {
				ws.peer.numbered(1, 1000)
				ws.readText(1000)
			}
			ws.readText(2000)
			start := time.Now()
			assert.Equal(t, text("2"), ws.read())
			assert.Equal(t, interval, time.Since(start))
		}
	})
}

func TestRetain_memory(t *testing.T) {
	bubble(t, "nothing is kept of what was proved", func(t *testing.T) {
		ws := inMemory(t, retaining).openWebSocket()
		var kept []weak.Pointer[engineio.Packet]
		for i := range 20 {
			p := event("a", fmt.Sprint("a", i))
			kept = append(kept, weak.Make(p))
			ws.peer.session.Send(p)
		}
		ws.readText(20)
		runtime.GC()
		assert.NotNil(t, kept[0].Value(), "remembered until the pong")
		ws.prove(0)
		ws.peer.session.Send(textPacket("another turn of the writer"))
		ws.readText(1)
		runtime.GC()
		for i, p := range kept {
			assert.Nil(t, p.Value(), i)
		}
		ws.drop()
	})

	t.Run("remembering allocates next to nothing", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{Retain: 1 << 20, OutboxBytes: 1 << 30, WriteTimeout: time.Millisecond})
		c := k.handshake() // it does not poll, so that nobody but Send is at work
		packets := make([]*engineio.Packet, 5000)
		for i := range packets {
			packets[i] = event("a", fmt.Sprint(i))
		}
		i := 0
		assert.Less(t, testing.AllocsPerRun(4000, func() { c.peer.session.Send(packets[i]); i++ }), 1.0)
		assert.True(t, c.peer.session.CanResume("a", "0"))
	})
}
