package engineio_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

// keeps sends the packet to a session that has ended, and reports whether the session keeps it.
func keeps(p *peer, packet *engineio.Packet) bool {
	kept := weak.Make(packet)
	p.session.Send(packet)
	runtime.GC()
	return kept.Value() != nil
}

func TestRetain_limits(t *testing.T) {
	bubble(t, "after one packet too many nothing can be resumed until the client has proved them", func(t *testing.T) {
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

	bubble(t, "as many packets as Retain allows can be resumed", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Retain: 8})
		ws := k.openWebSocket()
		offsets := ws.peer.numbered(1, 8)
		ws.drop()
		assert.Equal(t, offsets, k.resumed(ws.peer, "a", ""))
	})

	bubble(t, "a pong that was on its way when it became too much does not help, but the next one does", func(t *testing.T) {
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

	bubble(t, "after the end there may be four times as many, and with one more all is lost for good", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Retain: 8})
		ws := k.openWebSocket()
		ws.drop()
		ws.peer.numbered(1, 32)
		assert.True(t, ws.peer.session.CanResume("a", ""))
		ws.peer.numbered(33, 33)
		assert.False(t, ws.peer.session.CanResume("a", ""))
		assert.False(t, keeps(ws.peer, event("a", "a34")), "remembered for nobody")
		assert.Nil(t, k.resumed(ws.peer, "a", "a33"))
	})

	bubble(t, "a volatile packet sent after the end is not kept", func(t *testing.T) {
		ws := inMemory(t, retaining).openWebSocket()
		ws.drop()
		assert.True(t, keeps(ws.peer, event("a", "a1")))
		assert.False(t, keeps(ws.peer, event("a", "v1").Volatile()))
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

	bubble(t, "large packets that are proved do not count", func(t *testing.T) {
		k := inMemory(t, retaining)
		ws := k.openWebSocket()
		for i := range 20 {
			ws.peer.session.Send(textPacket(strings.Repeat("x", 999_999)).Retain("a", fmt.Sprint(i)))
			ws.prove(1)
		}
		ws.drop()
		assert.Equal(t, []string{}, k.resumed(ws.peer, "a", "19"))
	})

	bubble(t, "what was handed over counts separately until it is proved", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Retain: 8})
		ws := k.openWebSocket()
		ws.drop()
		offsets := ws.peer.numbered(1, 20)
		for range 3 { // connections that break at once
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
		next.peer.numbered(29, 29) // the ninth of the session's own
		assert.False(t, next.peer.session.CanResume("a", "a28"))
	})

	bubble(t, "what was handed over is bounded together with what is sent", func(t *testing.T) {
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

	bubble(t, "the client is not expected to have volatile packets that gave way", func(t *testing.T) {
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

	bubble(t, "the client is not expected to have them even if only other channels have packets after them", func(t *testing.T) {
		k := inMemory(t, config)
		ws := k.openWebSocket()
		ws.peer.session.Send(event("a", "a1"))
		synctest.Wait()
		ws.peer.session.Send(event("a", "v1"+strings.Repeat("v", 600)).Volatile())
		ws.peer.session.Send(event("b", "b1"), event("a", "v2").Volatile())
		ws.peer.session.Send(event("b", strings.Repeat("k", 600)))
		ws.prove(3)
		ws.drop()
		assert.Equal(t, []string{}, k.resumed(ws.peer, "a", "a1"))
	})

	bubble(t, "volatile packets before those that gave way were sent", func(t *testing.T) {
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

	bubble(t, "what is handed over may be more than an outbox holds, and does not count", func(t *testing.T) {
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
