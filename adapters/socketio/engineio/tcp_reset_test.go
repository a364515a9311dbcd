package engineio_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// A connection that is reset at an inconvenient moment ends what depends on it, and nothing else.
func TestTCP_Reset(t *testing.T) {
	config := engineio.Config{OutboxBytes: 64 << 20}
	request := func(k *kit, wire string) *net.TCPConn {
		conn := k.dial().(*net.TCPConn)
		_, err := io.WriteString(conn, wire)
		require.NoError(t, err)
		require.NoError(t, conn.SetLinger(0))
		return conn
	}
	alive := func(t *testing.T, k *kit) {
		t.Helper()
		ws := k.openWebSocket()
		ws.peer.send("fine")
		assert.Equal(t, text("4fine"), ws.read())
	}

	t.Run("a reset while a poll waits ends its session only", func(t *testing.T) {
		k := onLoopback(t, config)
		c := k.handshake()
		conn := request(k, "GET "+c.target+" HTTP/1.1\r\nHost: x\r\n\r\n")
		c.post("4meanwhile")
		_ = conn.Close()
		assert.Equal(t, engineio.ReasonTransportError, c.peer.wait(t))
		alive(t, k)
	})

	t.Run("a reset while a large poll is answered ends its session only", func(t *testing.T) {
		k := onLoopback(t, config)
		c := k.handshake()
		c.peer.send(strings.Repeat("x", 16<<20))
		conn := request(k, "GET "+c.target+" HTTP/1.1\r\nHost: x\r\n\r\n")
		_, err := conn.Read(make([]byte, 1))
		require.NoError(t, err)
		_ = conn.Close()
		assert.Equal(t, engineio.ReasonTransportError, c.peer.wait(t))
		alive(t, k)
	})

	t.Run("a reset while a POST arrives ends its session only", func(t *testing.T) {
		k := onLoopback(t, config)
		c := k.handshake()
		conn := request(k, "POST "+c.target+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4hel")
		require.Eventually(t, func() bool {
			_ = conn.Close()
			return len(c.peer.ended()) == 1
		}, patience, tick)
		assert.Equal(t, engineio.ReasonTransportError, c.peer.wait(t))
		assert.Empty(t, c.peer.got())
		alive(t, k)
	})

	t.Run("a reset right after the request for a WebSocket leaves nothing behind", func(t *testing.T) {
		k := onLoopback(t, config)
		for range 50 {
			conn := request(k, "GET "+webSocket+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
			_ = conn.Close()
		}
		require.Eventually(t, func() bool { return k.engine.Len() == 0 }, patience, tick)
		alive(t, k)
	})

	t.Run("a reset while a WebSocket probes does not end the session", func(t *testing.T) {
		k := onLoopback(t, config)
		c := k.handshake()
		for range 5 {
			require.Eventually(t, func() bool {
				ws, _ := k.upgradeWith(webSocket+"&sid="+c.sid, appendClientFrame(nil, websocket.OpText, []byte("2probe")))
				defer ws.abort()
				return ws.read() == text("3probe")
			}, patience, tick, "the place of the upgrade becomes free again")
		}
		c.post("4fine")
		assert.Equal(t, []string{"fine"}, c.peer.got())
		assert.Empty(t, c.peer.ended())
		c.post("1")
	})

	t.Run("a reset while a WebSocket is written to ends its session only", func(t *testing.T) {
		k := onLoopback(t, config)
		for i := range 20 {
			ws := k.openWebSocket()
			for j := range 20 {
				ws.peer.send(fmt.Sprint(j, strings.Repeat("x", 10_000*i)))
			}
			ws.abort()
			assert.NotEqual(t, engineio.ReasonSlowClient, ws.peer.wait(t))
		}
		alive(t, k)
	})

	t.Run("a reset in the middle of a message ends its session only", func(t *testing.T) {
		k := onLoopback(t, config)
		ws := k.openWebSocket()
		wire := appendClientFrame(nil, websocket.OpText, []byte("4"+strings.Repeat("x", 100_000)))
		ws.write(wire[:50_000])
		ws.abort()
		ws.peer.wait(t)
		assert.Empty(t, ws.peer.got())
		alive(t, k)
	})
}
