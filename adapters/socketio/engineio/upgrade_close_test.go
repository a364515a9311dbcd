package engineio_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

// What ends a session during an upgrade.
func TestUpgrade_Close(t *testing.T) {
	bubble(t, "a session closed while its client changes over says goodbye on the WebSocket", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		ws := c.probe()
		c.peer.send("last words")
		c.peer.session.Close()
		ws.sendText("5") // the client no longer polls
		assert.Equal(t, text("4last words"), ws.read())
		assert.Equal(t, closeFrame(""), ws.read())
		assert.Equal(t, hungUp, ws.read())
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonForcedClose), c.peer.ended())
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "a session closed while the WebSocket probes says goodbye on the waiting poll", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		ws := c.probe()
		p := c.beginPoll()
		assert.True(t, p.waiting())
		c.peer.session.Close()
		assert.Equal(t, "1", p.wait().body)
		assert.Equal(t, hungUp, ws.read())
		synctest.Wait()
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "a session that the client closes by POST takes the WebSocket with it", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		ws := c.probe()
		c.post("1")
		assert.Equal(t, hungUp, ws.read())
		assert.Equal(t, "6", c.poll())
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportClose), c.peer.ended())
	})

	bubble(t, "a session whose client is silent takes the WebSocket with it", func(t *testing.T) {
		c := inMemory(t, engineio.Config{UpgradeTimeout: time.Hour}).handshake()
		ws := c.probe()
		assert.Equal(t, hungUp, ws.read())
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonPingTimeout), c.peer.ended())
	})

	bubble(t, "a session that is shut down while its client changes over says goodbye", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		ws := c.probe()
		done := make(chan error)
		go func() { done <- k.engine.Shutdown(t.Context(), 0) }()
		synctest.Wait()
		ws.sendText("5")
		assert.Equal(t, closeFrame(""), ws.read())
		ws.close()
		assert.NoError(t, <-done)
	})

	bubble(t, "upgrades that come and go leave nothing behind", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		before := runtime.NumGoroutine()
		for range 50 { // so that whenever keepPollShort checks, some upgrade is in progress
			c.probe().close()
			synctest.Wait()
		}
		c.probe()
		time.Sleep(250 * time.Millisecond)
		synctest.Wait()
		assert.Less(t, runtime.NumGoroutine()-before, 10)
	})
}
