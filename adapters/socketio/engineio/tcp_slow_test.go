package engineio_test

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

func TestTCP_SlowClient(t *testing.T) {
	t.Run("a client that stops reading is let go after WriteTimeout", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{OutboxBytes: 64 << 20, WriteTimeout: 300 * time.Millisecond})
		ws := k.openWebSocket()
		for range 100 {
			ws.peer.send(strings.Repeat("x", 100_000))
		}
		assert.Equal(t, engineio.ReasonSlowClient, ws.peer.wait(t))
		_, err := io.Copy(io.Discard, ws.r)
		assert.ErrorIs(t, err, syscall.ECONNRESET, "the kernel holds nothing more for it")
	})

	t.Run("a client that reads slowly gets a message that takes it longer than WriteTimeout", func(t *testing.T) {
		const size, part = 8 << 20, 1 << 20
		k := onLoopback(t, engineio.Config{OutboxBytes: size, WriteTimeout: 2 * time.Second})
		ws := k.openWebSocket()
		ws.peer.send(strings.Repeat("x", size))
		pause := time.NewTicker(500 * time.Millisecond) // together twice WriteTimeout
		defer pause.Stop()
		for range size / part {
			<-pause.C
			_, err := io.CopyN(io.Discard, ws.r, part)
			require.NoError(t, err)
		}
		assert.Empty(t, ws.peer.ended())
	})

	t.Run("a client that stops reading is let go when its outbox is full, and delays nobody", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{OutboxBytes: 1 << 20, WriteTimeout: time.Hour})
		stuck, others := k.openWebSocket(), k.openWebSockets(8)
		before := heap()
		peak := before
		message := textPacket(strings.Repeat("x", 1000))
		for sent := 0; len(stuck.peer.ended()) == 0; {
			require.Less(t, sent, 200_000, "the outbox has no bound")
			for range 100 {
				engineio.Multicast(slices.Values(sessions(append(others, stuck))), message)
			}
			sent += 100
			for _, ws := range others { // they go on while the other one is stuck
				require.Equal(t, slices.Repeat([]string{"4" + strings.Repeat("x", 1000)}, 100), ws.readText(100))
			}
			if sent%1000 == 0 {
				peak = max(peak, heap())
			}
		}
		assert.Equal(t, engineio.ReasonSlowClient, stuck.peer.wait(t))
		_, err := io.Copy(io.Discard, stuck.r)
		assert.ErrorIs(t, err, syscall.ECONNRESET, "the kernel holds nothing more for it")
		assert.Less(t, int(peak-before), 4<<20, "the message is shared, the outbox holds pointers")
	})

	t.Run("a large message to many stuck clients is held once", func(t *testing.T) {
		const clients, size = 40, 8 << 20
		k := onLoopback(t, engineio.Config{OutboxBytes: 64 << 20, WriteTimeout: time.Hour})
		stuck := k.openWebSockets(clients)
		before := heap()
		engineio.Multicast(slices.Values(sessions(stuck)), textPacket(strings.Repeat("x", size)))
		awaitWrites(t, stuck)
		assert.Less(t, int(heap()-before), 4*size, "not %d times", clients)
	})

	t.Run("stuck clients hold no buffers to write from", func(t *testing.T) {
		const clients, size = 60, 4 << 20
		k := onLoopback(t, engineio.Config{OutboxBytes: 64 << 20, WriteTimeout: time.Hour})
		stuck := k.openWebSockets(clients)
		before := heap()
		engineio.Multicast(slices.Values(sessions(stuck)), textPacket(strings.Repeat("x", size)))
		awaitWrites(t, stuck)
		runtime.GC() // empties the pools, together with the collection in heap
		assert.Less(t, int(heap()-before), size+clients*24<<10)
	})

	t.Run("a session closed while its client does not read ends after WriteTimeout", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{OutboxBytes: 64 << 20, WriteTimeout: 300 * time.Millisecond})
		ws := k.openWebSocket()
		ws.peer.send(strings.Repeat("x", 16<<20))
		ws.peer.session.Close()
		assert.Equal(t, engineio.ReasonForcedClose, ws.peer.wait(t))
		assert.Eventually(t, func() bool { return k.engine.Len() == 0 }, patience, tick)
	})

	t.Run("a client that reads on in time after its session was closed gets everything and the close frame", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{OutboxBytes: 64 << 20})
		ws := k.openWebSocket()
		for i := range 30 {
			ws.peer.send(fmt.Sprint(i, strings.Repeat("x", 60_000)))
		}
		ws.peer.session.Close()
		assert.Equal(t, engineio.ReasonForcedClose, ws.peer.wait(t))
		for i := range 30 {
			requireSame(t, "4"+fmt.Sprint(i, strings.Repeat("x", 60_000)), ws.read())
		}
		assert.Equal(t, closeFrame(""), ws.read())
		assert.Equal(t, hungUp, ws.read())
		assert.Equal(t, 1, k.engine.Len(), "only the server's half is closed, until the client follows")
	})

	t.Run("a client that sends too much hears why, although most of it is never read", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{MaxPayload: 1000})
		for range 5 {
			ws := k.openWebSocket()
			go func() { _, _ = ws.conn.Write(appendClientFrame(nil, websocket.OpBinary, make([]byte, 4<<20))) }()
			assert.Equal(t, closeFrame("\x03\xf1message is too big"), ws.read())
			assert.Equal(t, engineio.ReasonTransportError, ws.peer.wait(t))
			ws.close()
		}
	})
}

// heap returns the size of what is reachable, in bytes.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// awaitWrites waits until each of the clients has been written to, as much as their buffers take.
func awaitWrites(t *testing.T, clients []*wsClient) {
	t.Helper()
	for _, ws := range clients {
		_, err := io.ReadFull(ws.conn, make([]byte, 1))
		require.NoError(t, err)
	}
}
