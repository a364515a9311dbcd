package engineio_test

import (
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

// mute is a connection that, once on is set, can only be read.
type mute struct {
	net.Conn
	on *atomic.Bool
}

func (m mute) Write(p []byte) (int, error) {
	if m.on.Load() {
		return 0, syscall.EPIPE
	}
	return m.Conn.Write(p)
}

func TestClose_Broken(t *testing.T) {
	bubble(t, "a connection that breaks off is a close", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws := k.openWebSocket()
		synctest.Wait()
		ws.close()
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportClose), ws.peer.ended())
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "a connection that breaks off while it is written to is a close, not a slow client", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{}).openWebSocket()
		ws.peer.send("nobody reads this")
		synctest.Wait()
		ws.close()
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportClose), ws.peer.ended())
	})

	bubble(t, "what came before a break is heard, even if the next write fails first", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, func(p *peer) {
			p.onReceive = func([]byte, bool) { time.Sleep(10 * time.Second) }
		})
		ws := k.openWebSocket()
		ws.sendText("4first", "4second")
		ws.peer.send("nobody reads this")
		ws.close()
		synctest.Wait()
		assert.Equal(t, []string{"first"}, ws.peer.got())
		ws.peer.send("nor this")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"first", "second"}, ws.peer.got())
		assert.Len(t, ws.peer.ended(), 1)
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "a connection that can be read but not written is given one second", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		var on atomic.Bool
		k.dress = func(conn net.Conn) net.Conn { return mute{conn, &on} }
		ws := k.openWebSocket()
		synctest.Wait()
		on.Store(true)
		ws.peer.send("into the void")
		time.Sleep(time.Second - time.Nanosecond)
		ws.sendText("4last words")
		synctest.Wait()
		assert.Empty(t, ws.peer.ended())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, []string{"last words"}, ws.peer.got())
		assert.Equal(t, only(engineio.ReasonTransportError), ws.peer.ended())
		assert.Zero(t, k.engine.Len())
	})
}
