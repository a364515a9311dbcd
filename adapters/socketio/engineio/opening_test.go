package engineio_test

import (
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// What comes, or ends, before the answer to a WebSocket's handshake has left.
func TestOpening(t *testing.T) {
	t.Run("a violation right after the handshake is answered after the handshake's answer", func(t *testing.T) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that the goroutine started last runs first
		k := onLoopback(t, engineio.Config{})
		for sentence, early := range map[string][]byte{
			"a bad frame":     {0xff, 0xff},
			"a close frame":   appendClientFrame(nil, websocket.OpClose, nil),
			"a close packet":  appendClientFrame(nil, websocket.OpText, []byte("1")),
			"an empty packet": appendClientFrame(nil, websocket.OpText, nil),
		} {
			for range 20 {
				ws, got := k.upgradeWith(webSocket, early)
				require.Equal(t, http.StatusSwitchingProtocols, got.status, sentence)
				f := ws.read()
				if f.op == websocket.OpText {
					f = ws.read() // the open packet was faster
				}
				require.Equal(t, websocket.OpClose, f.op, sentence)
				ws.close()
			}
		}
	})

	t.Run("a refused session's client hears the handshake's answer first, however slowly it leaves", func(t *testing.T) {
		for sentence, refuse := range map[string]func(*peer){
			"refused": func(p *peer) { p.refused = true },
			"closed":  func(p *peer) { p.session.Close(); p.refused = true },
			"panic":   clumsyAccept,
		} {
			k, listener := loopback(t)
			k.dress = func(conn net.Conn) net.Conn { return &hesitant{Conn: conn, closed: make(chan struct{})} }
			k.serve(listener, engineio.Config{}, []func(*peer){refuse})
			assert.Equal(t, hungUp, k.upgradeTo(webSocket).read(), sentence)
			assert.Eventually(t, func() bool { return k.engine.Len() == 0 }, patience, tick)
			if sentence == "panic" {
				assert.Contains(t, k.logs.take(), "clumsy accept")
			}
		}
	})

	t.Run("a whole upgrade may come right after the handshake", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{})
		c := k.handshake()
		early := appendClientFrame(nil, websocket.OpText, []byte("2probe"))
		early = appendClientFrame(early, websocket.OpText, []byte("5"))
		early = appendClientFrame(early, websocket.OpText, []byte("4first"))
		ws, got := k.upgradeWith(webSocket+"&sid="+c.sid, early)
		require.Equal(t, http.StatusSwitchingProtocols, got.status)
		assert.Equal(t, text("3probe"), ws.read())
		ws.sendText("4second")
		assert.Eventually(t, func() bool { return len(c.peer.got()) == 2 }, patience, tick)
		assert.Equal(t, []string{"first", "second"}, c.peer.got())
		assert.Empty(t, c.peer.ended())
		c.peer.send("here")
		assert.Equal(t, text("4here"), ws.read())
	})
}

func clumsyAccept(*peer) { panic("clumsy accept") }

// hesitant writes only after a moment, and not if it has been closed by then.
type hesitant struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (h *hesitant) Write(p []byte) (int, error) {
	select {
	case <-h.closed:
		return 0, net.ErrClosed
	case <-time.After(100 * time.Millisecond):
		return h.Conn.Write(p)
	}
}

func (h *hesitant) Close() error {
	h.once.Do(func() { close(h.closed) })
	return h.Conn.Close()
}
