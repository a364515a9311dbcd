package engineio_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

var largeAnswer = strings.Repeat("x", 5000)

// answering returns a kit whose sessions answer every message with more than fits the outbox.
func answering(t *testing.T) *kit {
	return inMemory(t, engineio.Config{OutboxBytes: 1000, WriteTimeout: 3 * time.Second}, func(p *peer) {
		p.onReceive = func([]byte, bool) { p.session.Answer(textPacket(largeAnswer)) }
	})
}

func TestAnswer_WebSocket(t *testing.T) {
	bubble(t, "an answer of any size leaves, and more is heard only after it has", func(t *testing.T) {
		ws := answering(t).openWebSocket()
		ws.sendText("4a", "4b", "4c", "4d")
		synctest.Wait()
		heard := ws.peer.got()
		assert.Less(t, len(heard), 3, "one is being written, one waits")
		assert.Equal(t, slices.Repeat([]string{"4" + largeAnswer}, 4), ws.readText(4))
		synctest.Wait()
		assert.Equal(t, []string{"a", "b", "c", "d"}, ws.peer.got())
		assert.Empty(t, ws.peer.ended())
	})

	bubble(t, "an answer does not count against what is sent meanwhile", func(t *testing.T) {
		ws := answering(t).openWebSocket()
		ws.sendText("4a", "4b")
		synctest.Wait()
		ws.peer.send(strings.Repeat("y", 900))
		assert.Equal(t, []string{"4" + largeAnswer, "4" + largeAnswer, "4" + strings.Repeat("y", 900)}, ws.readText(3))
		assert.Empty(t, ws.peer.ended())
	})

	bubble(t, "an answer does not lift the limit on what is sent meanwhile", func(t *testing.T) {
		ws := answering(t).openWebSocket()
		ws.sendText("4a", "4b")
		synctest.Wait()
		for range 2 {
			ws.peer.send(strings.Repeat("y", 900))
		}
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonSlowClient), ws.peer.ended())
	})

	bubble(t, "an answer that is not read ends the session after WriteTimeout, and nothing more is heard", func(t *testing.T) {
		k := answering(t)
		ws := k.openWebSocket()
		ws.sendText("4a", "4b", "4c", "4d")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonSlowClient), ws.peer.ended())
		assert.Less(t, len(ws.peer.got()), 3)
		assert.Zero(t, k.engine.Len())
	})

	for sentence, end := range map[string]func(*wsClient){
		"closed":             func(ws *wsClient) { ws.peer.session.Close() },
		"left by its client": func(ws *wsClient) { ws.close() },
		"over for its outbox": func(ws *wsClient) {
			ws.peer.session.Send(textPacket(largeAnswer), textPacket(""))
			ws.peer.send(largeAnswer)
		},
	} {
		bubble(t, "an answer does not hold up the end of a session that is "+sentence, func(t *testing.T) {
			k := answering(t)
			ws := k.openWebSocket()
			ws.sendText("4a", "4b", "4c", "4d")
			synctest.Wait()
			end(ws)
			ws.close()
			synctest.Wait()
			assert.Len(t, ws.peer.ended(), 1)
			time.Sleep(time.Second) // for as long as a broken connection may still be read
			synctest.Wait()
			assert.Zero(t, k.engine.Len())
		})
	}

	bubble(t, "an answer after the session's end goes nowhere", func(t *testing.T) {
		ws := answering(t).openWebSocket()
		ws.peer.session.Close()
		ws.peer.session.Answer(textPacket("late"))
		assert.Equal(t, closeFrame(""), ws.read())
	})
}

func TestAnswer_Polling(t *testing.T) {
	bubble(t, "many answers at once wait for the next poll", func(t *testing.T) {
		c := answering(t).handshake()
		c.post("4a\x1e4b\x1e4c")
		assert.Equal(t, []string{"a", "b", "c"}, c.peer.got())
		assert.Equal(t, strings.Join(slices.Repeat([]string{"4" + largeAnswer}, 3), "\x1e"), c.poll())
		assert.Empty(t, c.peer.ended())
	})

	bubble(t, "answers that would fill more than sixteen outboxes end the session", func(t *testing.T) {
		k := answering(t)
		c := k.handshake()
		c.postRefused(strings.Repeat("4x\x1e", 99) + "4x")
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonSlowClient), c.peer.ended())
		assert.Len(t, c.peer.got(), 4, "17,000 bytes are in the fourth")
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "answers that are waiting when the transport changes leave through the WebSocket", func(t *testing.T) {
		c := answering(t).handshake()
		c.post("4a\x1e4b")
		ws := c.probe()
		ws.sendText("5", "4c")
		assert.Equal(t, slices.Repeat([]string{"4" + largeAnswer}, 3), ws.readText(3))
		synctest.Wait()
		assert.Equal(t, []string{"a", "b", "c"}, c.peer.got())
	})
}

func TestAnswer_without_bound(t *testing.T) {
	answering := func(t *testing.T) *kit {
		return inMemory(t, engineio.Config{OutboxBytes: -1}, func(p *peer) {
			p.onReceive = func([]byte, bool) { p.session.Answer(textPacket(largeAnswer)) }
		})
	}
	bubble(t, "a WebSocket client that reads late gets all answers", func(t *testing.T) {
		ws := answering(t).openWebSocket()
		ws.sendText(slices.Repeat([]string{"4a"}, 100)...)
		synctest.Wait()
		assert.Len(t, ws.peer.got(), 100, "nothing waits for the answers to leave")
		assert.Equal(t, slices.Repeat([]string{"4" + largeAnswer}, 100), ws.readText(100))
	})
	bubble(t, "a polling client gets all answers to one request", func(t *testing.T) {
		c := answering(t).handshake()
		c.post(strings.Repeat("4x\x1e", 99) + "4x")
		assert.Equal(t, strings.Join(slices.Repeat([]string{"4" + largeAnswer}, 100), "\x1e"), c.poll())
		assert.Empty(t, c.peer.ended())
	})
}
