package engineio_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

func TestClose_Polling(t *testing.T) {
	bubble(t, "the waiting poll gets what is enqueued, and the next one the close", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		p := c.beginPoll()
		assert.True(t, p.waiting())
		c.peer.session.Send(textPacket("one"), textPacket("two"))
		c.peer.session.Close()
		assert.Equal(t, "4one\x1e4two", p.wait().body)
		assert.Equal(t, "1", c.poll())
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonForcedClose), c.peer.ended())
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "if no poll is waiting, the next one gets what is enqueued, and the one after it the close", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		c.peer.send("last words")
		c.peer.session.Close()
		time.Sleep(writeTimeout - time.Second)
		assert.Equal(t, "4last words", c.poll())
		assert.Equal(t, "1", c.poll())
		assert.Zero(t, k.engine.Len())
		assert.Equal(t, http.StatusBadRequest, c.beginPoll().wait().status)
	})

	bubble(t, "if no poll comes, the session is over after WriteTimeout", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		c.peer.session.Close()
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonForcedClose), c.peer.ended(), "the receiver knows at once")
		time.Sleep(writeTimeout - time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, 1, k.engine.Len())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Zero(t, k.engine.Len())
		assert.Len(t, c.peer.ended(), 1)
	})

	bubble(t, "a POST that crosses the close is taken and ignored, so that the client lives to read it", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		c.peer.send("last words")
		c.peer.session.Close()
		c.post("4too late")
		assert.Equal(t, "4last words", c.poll())
		assert.Equal(t, "1", c.poll())
		assert.Empty(t, c.peer.got())
	})

	bubble(t, "what is sent after Close goes nowhere", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		c.peer.session.Close()
		c.peer.send("after")
		c.peer.session.Do(func() { t.Error("Do after Close") })
		c.peer.session.Close()
		assert.Equal(t, "1", c.poll())
		synctest.Wait()
		assert.Len(t, c.peer.ended(), 1)
	})

	bubble(t, "a client that closes by POST frees its waiting poll", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		p := c.beginPoll()
		assert.True(t, p.waiting())
		c.post("1")
		assert.Equal(t, "6", p.wait().body)
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportClose), c.peer.ended())
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "a poll that comes late after a close by POST is answered too, for a second", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		c.post("1")
		assert.Zero(t, k.engine.Len(), "a session that is over is not open")
		time.Sleep(time.Second - time.Millisecond)
		assert.Equal(t, "6", c.poll())
		assert.Equal(t, http.StatusBadRequest, c.beginPost("4x").wait().status)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		assert.Equal(t, `{"code":1,"message":"Session ID unknown"}`, c.beginPoll().wait().body)
	})

	bubble(t, "messages before the close packet are heard, those after it are not", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		c.post("4a\x1e1\x1e4b")
		assert.Equal(t, []string{"a"}, c.peer.got())
	})

	bubble(t, "a poll that its client gives up ends the session", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		p := c.beginPoll()
		assert.True(t, p.waiting())
		p.abort()
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
		assert.Zero(t, k.engine.Len())
	})
}

func TestClose_WebSocket(t *testing.T) {
	bubble(t, "what is enqueued leaves, and then a close frame without a code", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws := k.openWebSocket()
		ws.peer.session.Send(textPacket("one"), textPacket("two"))
		ws.peer.send("three")
		ws.peer.session.Close()
		assert.Equal(t, []string{"4one", "4two", "4three"}, ws.readText(3))
		assert.Equal(t, closeFrame(""), ws.read())
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonForcedClose), ws.peer.ended())
	})

	bubble(t, "a client that answers the close frame is let go at once", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws := k.openWebSocket()
		ws.peer.session.Close()
		assert.Equal(t, closeFrame(""), ws.read())
		start := time.Now()
		ws.sendText("4crossed the close")
		ws.send(websocket.OpClose, nil)
		assert.Equal(t, hungUp, ws.read())
		assert.Zero(t, time.Since(start))
		synctest.Wait()
		assert.Zero(t, k.engine.Len())
		assert.Empty(t, ws.peer.got())
		assert.Len(t, ws.peer.ended(), 1)
	})

	bubble(t, "a client that does not answer the close frame is let go after a second", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws := k.openWebSocket()
		ws.peer.session.Close()
		assert.Equal(t, closeFrame(""), ws.read())
		start := time.Now()
		assert.Equal(t, hungUp, ws.read())
		assert.Equal(t, time.Second, time.Since(start))
		synctest.Wait()
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "a client that reads nothing is let go after WriteTimeout", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws := k.openWebSocket()
		ws.peer.session.Close()
		time.Sleep(writeTimeout)
		synctest.Wait()
		assert.Zero(t, k.engine.Len())
		assert.Equal(t, only(engineio.ReasonForcedClose), ws.peer.ended())
	})

	bubble(t, "a client's close frame is returned with its code", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws := k.openWebSocket()
		ws.send(websocket.OpClose, []byte("\x0f\xa1bye"))
		start := time.Now()
		assert.Equal(t, closeFrame("\x0f\xa1"), ws.read())
		assert.Equal(t, hungUp, ws.read(), "the server closes first")
		assert.Zero(t, time.Since(start))
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportClose), ws.peer.ended())
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "a close packet is a close, unlike in the reference server", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{}).openWebSocket()
		ws.sendText("4a", "1", "4b")
		ws.expectFarewell(only(engineio.ReasonTransportClose))
		synctest.Wait()
		assert.Equal(t, []string{"a"}, ws.peer.got())
		assert.Equal(t, only(engineio.ReasonTransportClose), ws.peer.ended())
	})
}

func TestClose_InAccept(t *testing.T) {
	closing := func(p *peer) {
		p.send("hello")
		p.session.Close()
	}
	bubble(t, "a polling client gets the open packet, what was sent, and the close", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, closing)
		got := k.get(polling)
		assert.Regexp(t, "^0{[^}]*}\x1e4hello$", got.body)
		assert.Equal(t, "1", k.clientOf(got.body).poll())
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonForcedClose), k.peer(0).ended())
	})

	bubble(t, "a WebSocket client gets the open packet, what was sent, and the close", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, closing)
		ws := k.openWebSocket()
		assert.Equal(t, text("4hello"), ws.read())
		assert.Equal(t, closeFrame(""), ws.read())
	})

	bubble(t, "a refused session is never heard of again", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, func(p *peer) { p.refused = true })
		got := k.get(polling)
		assert.Equal(t, http.StatusForbidden, got.status)
		assert.Equal(t, `{"code":4,"message":"Forbidden"}`, got.body)
		assert.Equal(t, hungUp, k.upgradeTo(webSocket).read(), "not even the open packet leaves")
		synctest.Wait()
		assert.Empty(t, k.peer(0).ended())
		assert.Empty(t, k.peer(1).ended())
		assert.Zero(t, k.engine.Len())
	})
}
