package engineio_test

import (
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// A polled connection reports what has come only once: a reader that stops too soon never hears of it.
func TestTCP_Read(t *testing.T) {
	t.Run("what comes while a message is handled is read after it", func(t *testing.T) {
		heard, release := make(chan string, 3), make(chan struct{})
		k := onLoopback(t, engineio.Config{PingInterval: time.Hour}, func(p *peer) {
			p.onReceive = func(data []byte, _ bool) {
				heard <- string(data)
				if string(data) == "first" {
					<-release
				}
			}
		})
		slow, other := k.openWebSocket(), k.openWebSocket()
		slow.sendText("4first")
		requireHeard(t, "first", heard)
		slow.sendText("4second")
		other.sendText("4behind it")
		requireHeard(t, "behind it", heard) // the connections are reported in order, so the second message has been reported too
		close(release)
		requireHeard(t, "second", heard)
	})

	t.Run("the end of a connection that comes together with its last message is heard", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{PingInterval: time.Hour})
		clients := make([]*wsClient, 50)
		for i := range clients {
			clients[i] = k.openWebSocket()
		}
		// Alone on the only processor, a client does both before anyone is told of either.
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		for i, ws := range clients {
			ws.send(websocket.OpText, fmt.Append(nil, "4last words ", i))
			require.NoError(t, ws.conn.(*net.TCPConn).CloseWrite())
		}
		for i, ws := range clients {
			assert.Equal(t, engineio.ReasonTransportClose, ws.peer.wait(t))
			assert.Equal(t, []string{fmt.Sprint("last words ", i)}, ws.peer.got())
		}
	})
}

func requireHeard(t *testing.T, want string, heard <-chan string) {
	t.Helper()
	select {
	case got := <-heard:
		require.Equal(t, want, got)
	case <-time.After(patience):
		require.Fail(t, "not heard: "+want)
	}
}
