package engineio_test

import (
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// clumsy panics when it hears "panic".
func clumsy(p *peer) {
	p.onReceive = func(data []byte, _ bool) {
		if string(data) == "panic" {
			panic("clumsy receiver")
		}
	}
}

func TestPanic(t *testing.T) {
	bubble(t, "a panic in Receive ends its polling session only, and the request is answered", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, clumsy)
		c, other := k.handshake(), k.handshake()
		c.postRefused("4a\x1e4panic\x1e4b")
		other.post("4fine")
		synctest.Wait()
		assert.Equal(t, []string{"a", "panic"}, c.peer.got())
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
		assert.Empty(t, other.peer.ended())
		assert.Contains(t, k.logs.take(), "clumsy receiver")
	})

	bubble(t, "a panic in Receive ends its WebSocket session only", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, clumsy)
		ws, other := k.openWebSocket(), k.openWebSocket()
		ws.sendText("4a", "4panic", "4b")
		assert.Equal(t, hungUp, ws.read())
		other.sendText("4fine")
		synctest.Wait()
		assert.Equal(t, []string{"a", "panic"}, ws.peer.got())
		assert.Equal(t, only(engineio.ReasonTransportError), ws.peer.ended())
		assert.Equal(t, []string{"fine"}, other.peer.got())
		assert.Contains(t, k.logs.take(), "clumsy receiver")
	})

	bubble(t, "a panic in Closed is logged, and the session is over all the same", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, func(p *peer) { p.onClosed = func() { panic("clumsy end") } })
		ws, c := k.openWebSocket(), k.handshake()
		ws.close()
		c.post("1")
		synctest.Wait()
		assert.Zero(t, k.engine.Len())
		assert.Contains(t, k.logs.take(), "clumsy end")
	})

	bubble(t, "a panic in accept refuses the session", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, func(*peer) { panic("clumsy accept") })
		assert.Equal(t, answerOf(403, forbidden), summary(k.get(polling)))
		assert.Equal(t, hungUp, k.upgradeTo(webSocket).read())
		assert.Zero(t, k.engine.Len())
		assert.Contains(t, k.logs.take(), "clumsy accept")
	})

	bubble(t, "a panic in a function given to Do ends the session", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		c.peer.session.Do(func() { panic("clumsy turn") })
		c.peer.session.Do(func() { t.Error("called after the session's end") })
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
		assert.Contains(t, k.logs.take(), "clumsy turn")
	})

	bubble(t, "a panic in the sequence given to Multicast leaves no session stuck", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		first, second := k.openWebSocket(), k.openWebSocket()
		assert.Panics(t, func() {
			engineio.Multicast(func(yield func(*engineio.Session) bool) {
				yield(first.peer.session)
				panic("clumsy sequence")
			}, textPacket("one"))
		})
		engineio.Multicast(slices.Values([]*engineio.Session{first.peer.session, second.peer.session}), textPacket("two"))
		assert.Equal(t, []string{"4one", "4two"}, first.readText(2))
		assert.Equal(t, []string{"4two"}, second.readText(1))
	})

	bubble(t, "a panic in the connection beneath ends its session and nothing else", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		k.dress = func(conn net.Conn) net.Conn { return &clumsyConn{Conn: conn} }
		ws := k.openWebSocket()
		ws.send(websocket.OpText, []byte("4panic"))
		assert.Equal(t, hungUp, ws.read())
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportError), ws.peer.ended())
		assert.Contains(t, k.logs.take(), "clumsy connection")
	})
}

// clumsyConn panics at the first successful read after the opening handshake.
type clumsyConn struct {
	net.Conn
	reads int
}

func (c *clumsyConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil {
		c.reads++
	}
	if c.reads > 1 {
		panic("clumsy connection")
	}
	return n, err
}
