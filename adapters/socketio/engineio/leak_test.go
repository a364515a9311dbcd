package engineio_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// What clients leave behind must be gone while the server goes on, without Shutdown.
func TestGoroutines(t *testing.T) {
	const clients = 50
	abrupt := func(conn net.Conn) {
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset
		_ = conn.Close()
	}
	cut := func(p *peer, conn net.Conn) {
		require.Eventually(t, p.session.Requested, patience, tick)
		abrupt(conn)
	}
	for sentence, tc := range map[string]struct {
		leave  func(k *kit)
		reason engineio.CloseReason
	}{
		"a clean close of a WebSocket": {func(k *kit) {
			ws := k.openWebSocket()
			ws.send(websocket.OpClose, []byte{3, 232})
			assert.Equal(k.t, websocket.OpClose, ws.read().op)
			ws.close()
		}, engineio.ReasonTransportClose},
		"a clean close by the Engine.IO packet": {func(k *kit) {
			ws := k.openWebSocket()
			ws.sendText("1")
			ws.close()
		}, engineio.ReasonTransportClose},
		"a clean close of polling": {func(k *kit) { k.handshake().post("1") }, engineio.ReasonTransportClose},
		"an abrupt close of a WebSocket": {func(k *kit) {
			abrupt(k.openWebSocket().conn)
		}, engineio.ReasonTransportError},
		"an abrupt close in the middle of a frame": {func(k *kit) {
			ws := k.openWebSocket()
			ws.write([]byte{0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4, 'x'})
			abrupt(ws.conn)
		}, engineio.ReasonTransportError},
		"an abrupt close of a poll": {func(k *kit) {
			c := k.handshake()
			cut(c.peer, c.beginPoll().conn)
		}, engineio.ReasonTransportError},
		"an abrupt close of a post": {func(k *kit) {
			c := k.handshake()
			conn := k.dial()
			_, err := conn.Write([]byte("POST " + c.target + " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4h"))
			require.NoError(k.t, err)
			cut(c.peer, conn)
		}, engineio.ReasonTransportError},
		"an abrupt close in the middle of an upgrade": {func(k *kit) {
			c := k.handshake()
			abrupt(c.probe().conn)
			c.post("1")
		}, engineio.ReasonTransportClose},
		"an abrupt close before the probe": {func(k *kit) {
			c := k.handshake()
			abrupt(k.upgradeTo(webSocket + "&sid=" + c.sid).conn)
			c.post("1")
		}, engineio.ReasonTransportClose},
		"an abrupt close right behind the upgrade": {func(k *kit) {
			ws := k.handshake().probe()
			ws.sendText("5")
			assert.Equal(k.t, text("4moved"), func() frame { ws.peer.send("moved"); return ws.read() }())
			abrupt(ws.conn)
		}, engineio.ReasonTransportError},
		"a clean close in the middle of an upgrade": {func(k *kit) {
			c := k.handshake()
			ws := c.probe()
			c.post("1")
			ws.close()
		}, engineio.ReasonTransportClose},
	} {
		t.Run(sentence+" leaves no goroutine behind", func(t *testing.T) {
			k := onLoopback(t, engineio.Config{})
			k.http.SetKeepAlivesEnabled(false)
			// The first client makes the server start what stays.
			tc.leave(k)
			k.peer(0).wait(t)
			base := goleak.IgnoreCurrent()
			for range clients {
				tc.leave(k)
			}
			for i := range clients + 1 {
				assert.Equal(t, tc.reason, k.peer(i).wait(t))
			}
			// A receiver is told before the session is removed.
			assert.Eventually(t, func() bool { return k.engine.Len() == 0 }, patience, tick)
			assert.NoError(t, goleak.Find(base))
		})
	}
}
