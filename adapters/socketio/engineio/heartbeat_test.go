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

func TestHeartbeat_Polling(t *testing.T) {
	bubble(t, "a ping comes an interval after the handshake and after each pong", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		for range 3 {
			start := time.Now()
			assert.Equal(t, "2", c.poll())
			assert.Equal(t, interval, time.Since(start))
			time.Sleep(3 * time.Second)
			c.post("3")
		}
		synctest.Wait()
		assert.Empty(t, c.peer.ended())
	})

	bubble(t, "an unanswered ping ends the session after the timeout, and the waiting poll is told", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		start := time.Now()
		assert.Equal(t, "2", c.poll())
		assert.Equal(t, "1", c.poll())
		assert.Equal(t, interval+timeout, time.Since(start))
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonPingTimeout), c.peer.ended())
		assert.Equal(t, http.StatusBadRequest, c.beginPoll().wait().status)
	})

	bubble(t, "the session of a client that never polls ends at the same moment", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		time.Sleep(interval + timeout - time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, 1, k.engine.Len())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Zero(t, k.engine.Len())
		assert.Equal(t, only(engineio.ReasonPingTimeout), c.peer.ended())
	})

	bubble(t, "unsolicited pongs and messages do not put off the ping", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		start := time.Now()
		p := c.beginPoll()
		for range 4 {
			time.Sleep(interval / 5)
			c.post("3\x1e4hello")
		}
		assert.True(t, p.waiting())
		assert.Equal(t, "2", p.wait().body)
		assert.Equal(t, interval, time.Since(start))
	})

	bubble(t, "messages do not take the place of the pong", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		assert.Equal(t, "2", c.poll())
		start := time.Now()
		p := c.beginPoll()
		time.Sleep(timeout - time.Second)
		c.post("4still here")
		assert.Equal(t, "1", p.wait().body)
		assert.Equal(t, timeout, time.Since(start))
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonPingTimeout), c.peer.ended())
	})

	bubble(t, "a ping of the client is an error", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		p := c.beginPoll()
		synctest.Wait()
		assert.Equal(t, http.StatusBadRequest, c.beginPost("4before\x1e2\x1e4after").wait().status)
		assert.Equal(t, "1", p.wait().body)
		synctest.Wait()
		assert.Equal(t, []string{"before"}, c.peer.got())
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
	})
}

func TestHeartbeat_WebSocket(t *testing.T) {
	bubble(t, "a ping comes an interval after the handshake and after each pong", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{}).openWebSocket()
		for range 3 {
			start := time.Now()
			assert.Equal(t, text("2"), ws.read())
			assert.Equal(t, interval, time.Since(start))
			time.Sleep(3 * time.Second)
			ws.sendText("3")
		}
	})

	bubble(t, "an unanswered ping ends the session after the timeout", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{}).openWebSocket()
		start := time.Now()
		assert.Equal(t, text("2"), ws.read())
		assert.Equal(t, hungUp, ws.read())
		assert.Equal(t, interval+timeout, time.Since(start))
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonPingTimeout), ws.peer.ended())
	})

	bubble(t, "unsolicited pongs, of either protocol, do not put off the ping", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{}).openWebSocket()
		start := time.Now()
		for range 4 {
			time.Sleep(interval / 5)
			ws.sendText("3", "4hello")
			ws.send(websocket.OpPong, nil)
		}
		assert.Equal(t, text("2"), ws.read())
		assert.Equal(t, interval, time.Since(start))
		ws.send(websocket.OpPong, nil)
		assert.Equal(t, hungUp, ws.read(), "a pong of the WebSocket does not answer a ping of Engine.IO")
		assert.Equal(t, interval+timeout, time.Since(start))
	})

	bubble(t, "a ping of the client is an error", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{}).openWebSocket()
		ws.sendText("4before", "2", "4after")
		ws.expectFarewell(only(engineio.ReasonTransportError))
		synctest.Wait()
		assert.Equal(t, []string{"before"}, ws.peer.got())
		assert.Equal(t, only(engineio.ReasonTransportError), ws.peer.ended())
	})

	bubble(t, "a WebSocket ping is answered with its data", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{}).openWebSocket()
		ws.send(websocket.OpPing, []byte("are you there"))
		assert.Equal(t, frame{op: websocket.OpPong, data: "are you there"}, ws.read())
	})

	bubble(t, "a pong at the very moment of the time-out comes too late or counts for a whole interval", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		for range 100 {
			ws := k.openWebSocket()
			assert.Equal(t, text("2"), ws.read())
			time.Sleep(timeout)
			start := time.Now()
			if _, err := ws.conn.Write(appendClientFrame(nil, websocket.OpText, []byte("3"))); err != nil {
				continue
			}
			if ws.read() == text("2") {
				assert.Equal(t, interval, time.Since(start))
			}
			ws.close()
		}
	})

	bubble(t, "the times are those of the configuration", func(t *testing.T) {
		config := engineio.Config{PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond}
		ws := inMemory(t, config).openWebSocket()
		start := time.Now()
		assert.Equal(t, text("2"), ws.read())
		assert.Equal(t, config.PingInterval, time.Since(start))
		assert.Equal(t, hungUp, ws.read())
		assert.Equal(t, config.PingInterval+config.PingTimeout, time.Since(start))
	})
}
