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

func TestUpgrade(t *testing.T) {
	bubble(t, "the waiting poll is freed, and what is pending leaves through the WebSocket", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		p := c.beginPoll()
		assert.True(t, p.waiting())
		ws := c.probe()
		assert.Equal(t, "6", p.wait().body)
		c.peer.send("kept")
		assert.Equal(t, engineio.Polling, c.peer.session.Transport())
		ws.sendText("5", "4first")
		assert.Equal(t, text("4kept"), ws.read())
		c.peer.send("next")
		assert.Equal(t, text("4next"), ws.read())
		synctest.Wait()
		assert.Equal(t, engineio.WebSocket, c.peer.session.Transport())
		assert.Equal(t, []string{"first"}, c.peer.got())
		assert.Equal(t, 1, k.engine.Len())
	})

	bubble(t, "polling after the upgrade is refused and leaves the session alone", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		ws := c.probe()
		ws.sendText("5")
		synctest.Wait()
		assert.Equal(t, answerOf(http.StatusBadRequest, badRequest), summary(c.beginPoll().wait()))
		assert.Equal(t, answerOf(http.StatusBadRequest, badRequest), summary(c.beginPost("4x").wait()))
		c.peer.send("still here")
		assert.Equal(t, text("4still here"), ws.read())
		assert.Empty(t, c.peer.ended())
	})

	bubble(t, "a poll that comes while the WebSocket probes is held a moment, then answered", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		c.probe()
		time.Sleep(30 * time.Millisecond)
		start := time.Now()
		assert.Equal(t, "6", c.poll())
		assert.Equal(t, 70*time.Millisecond, time.Since(start))
		assert.Equal(t, "6", c.poll())
		assert.Equal(t, 170*time.Millisecond, time.Since(start))
	})

	bubble(t, "a poll that comes while the WebSocket probes is refused if the upgrade succeeds first", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		ws := c.probe()
		p := c.beginPoll()
		assert.True(t, p.waiting())
		ws.sendText("5")
		assert.Equal(t, answerOf(http.StatusBadRequest, badRequest), summary(p.wait()))
		c.peer.send("fine")
		assert.Equal(t, text("4fine"), ws.read())
	})

	bubble(t, "polling works on while the WebSocket probes", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		ws := c.probe()
		c.post("4up")
		c.peer.send("down")
		assert.Equal(t, "4down", c.poll())
		ws.sendText("5")
		c.peer.send("there")
		assert.Equal(t, text("4there"), ws.read())
		assert.Equal(t, []string{"up"}, c.peer.got())
	})

	bubble(t, "no noop is sent through the WebSocket", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		p := c.beginPoll()
		assert.True(t, p.waiting())
		ws := c.kit.upgradeTo(webSocket + "&sid=" + c.sid)
		go ws.sendText("2probe", "5")
		assert.Equal(t, text("3probe"), ws.read())
		assert.Equal(t, "6", p.wait().body)
		c.peer.send("message")
		assert.Equal(t, text("4message"), ws.read())
	})

	bubble(t, "a WebSocket ping is answered even before the upgrade", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		ws := c.kit.upgradeTo(webSocket + "&sid=" + c.sid)
		for _, step := range []struct{ says, hears string }{{"2probe", "3probe"}, {"5", ""}} {
			ws.send(websocket.OpPing, []byte("are you there"))
			assert.Equal(t, frame{op: websocket.OpPong, data: "are you there"}, ws.read())
			ws.sendText(step.says)
			if step.hears != "" {
				assert.Equal(t, text(step.hears), ws.read())
			}
		}
		c.peer.send("fine")
		assert.Equal(t, text("4fine"), ws.read())
	})

	bubble(t, "the heartbeat goes on as it was before the upgrade", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		start := time.Now()
		time.Sleep(interval - time.Second)
		ws := c.probe()
		ws.sendText("5")
		assert.Equal(t, text("2"), ws.read())
		assert.Equal(t, interval, time.Since(start))
		assert.Equal(t, hungUp, ws.read())
		assert.Equal(t, interval+timeout, time.Since(start))
	})
}

func TestUpgrade_Fails(t *testing.T) {
	for sentence, spoil := range map[string]func(*wsClient){
		"a message instead of the probe":     func(ws *wsClient) { ws.sendText("4hello") },
		"the upgrade without a probe":        func(ws *wsClient) { ws.sendText("5") },
		"a binary message":                   func(ws *wsClient) { ws.send(websocket.OpBinary, []byte("2probe")) },
		"another probe text":                 func(ws *wsClient) { ws.sendText("2prob") },
		"a WebSocket close":                  func(ws *wsClient) { ws.send(websocket.OpClose, nil) },
		"a frame that breaks the protocol":   func(ws *wsClient) { ws.write([]byte{0x81, 0x00}) },
		"a connection that breaks off":       func(ws *wsClient) { ws.close() },
		"a message that is longer than 2 MB": func(ws *wsClient) { ws.write([]byte{0x81, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0}) },
	} {
		bubble(t, sentence+" ends the WebSocket, and polling goes on", func(t *testing.T) {
			c := inMemory(t, engineio.Config{}).handshake()
			ws := c.kit.upgradeTo(webSocket + "&sid=" + c.sid)
			go spoil(ws)
			assert.Equal(t, hungUp, ws.read())
			synctest.Wait()
			c.post("4up")
			c.peer.send("down")
			assert.Equal(t, "4down", c.poll())
			assert.Equal(t, []string{"up"}, c.peer.got())
			assert.Empty(t, c.peer.ended())
			c.probe().sendText("5") // another one may try
			synctest.Wait()
			assert.Equal(t, engineio.WebSocket, c.peer.session.Transport())
		})
	}

	bubble(t, "a second probe ends the WebSocket, and polling goes on", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		ws := c.probe()
		ws.sendText("2probe")
		assert.Equal(t, hungUp, ws.read())
		c.peer.send("down")
		assert.Equal(t, "4down", c.poll())
	})

	bubble(t, "an upgrade that takes longer than UpgradeTimeout is given up", func(t *testing.T) {
		for _, probe := range []bool{false, true} {
			c := inMemory(t, engineio.Config{UpgradeTimeout: 3 * time.Second}).handshake()
			ws := c.kit.upgradeTo(webSocket + "&sid=" + c.sid)
			start := time.Now()
			if probe {
				time.Sleep(time.Second)
				ws.sendText("2probe")
				assert.Equal(t, text("3probe"), ws.read())
			}
			assert.Equal(t, hungUp, ws.read())
			assert.Equal(t, 3*time.Second, time.Since(start))
			c.peer.send("down")
			assert.Equal(t, "4down", c.poll())
			assert.Empty(t, c.peer.ended())
		}
	})

	bubble(t, "a second WebSocket is turned away and the first goes on", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		first := c.probe()
		second := c.kit.upgradeTo(webSocket + "&sid=" + c.sid)
		assert.Equal(t, hungUp, second.read())
		first.sendText("5")
		synctest.Wait()
		third := c.kit.upgradeTo(webSocket + "&sid=" + c.sid)
		assert.Equal(t, hungUp, third.read())
		c.peer.send("fine")
		assert.Equal(t, text("4fine"), first.read())
	})

	bubble(t, "a session that was opened on a WebSocket has no upgrade", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws := k.openWebSocket()
		assert.Equal(t, hungUp, k.upgradeTo(webSocket+"&sid="+ws.sid).read())
		ws.peer.send("fine")
		assert.Equal(t, text("4fine"), ws.read())
	})
}
