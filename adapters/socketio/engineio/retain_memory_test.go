package engineio_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

func TestRetain_memory(t *testing.T) {
	bubble(t, "nothing that was proved is kept", func(t *testing.T) {
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

	bubble(t, "the older session keeps nothing that it has handed over", func(t *testing.T) {
		k := inMemory(t, retaining)
		ws, next := k.openWebSocket(), k.openWebSocket()
		p := event("a", "a1")
		kept := weak.Make(p)
		ws.peer.session.Send(p)
		ws.drop()
		require.True(t, ws.peer.session.Resume(next.peer.session, "a", ""))
		next.prove(1)
		next.peer.send("another turn of the writer")
		next.readText(1)
		runtime.GC()
		assert.Nil(t, kept.Value())
		ws.drop()
	})

	t.Run("remembering allocates next to nothing", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{Retain: 1 << 20, OutboxBytes: 1 << 30, WriteTimeout: time.Millisecond})
		c := k.handshake() // it does not poll, so that only Send is at work
		packets := make([]*engineio.Packet, 5000)
		for i := range packets {
			packets[i] = event("a", fmt.Sprint(i))
		}
		i := 0
		assert.Less(t, testing.AllocsPerRun(4000, func() { c.peer.session.Send(packets[i]); i++ }), 1.0)
		assert.True(t, c.peer.session.CanResume("a", "0"))
	})
}
