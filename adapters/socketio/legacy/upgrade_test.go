package legacy_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/ports"
)

func TestUpgrade(t *testing.T) {
	bubble(t, "an upgrade moves a session to WebSocket with nothing lost, doubled or out of order", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		k.broadcast(c.id, message("0"))
		ws := c.probe()
		assert.Equal(t, []string{"6"}, c.poll(), "what is sent waits for the WebSocket")
		k.broadcast(c.id, message("1"))
		ws.write("5")
		k.broadcast(c.id, message("2"))
		for i := range 3 {
			assert.Equal(t, fmt.Sprint(i), content(t, ws.read()))
		}
		ws.write(send("hello"))
		ws.write("2")
		assert.Equal(t, "3", ws.read())
		assert.Equal(t, []string{"hello"}, k.chat.contents())
		assert.Equal(t, 1, k.server.Len())
	})

	bubble(t, "an upgrade answers a waiting poll, so that the client can go on", func(t *testing.T) {
		c := newKit(t).newPolling()
		answers, _ := c.polls()
		c.probe()
		assert.Equal(t, "1:6", (<-answers).body)
	})

	bubble(t, "what the client sends by polling during an upgrade is handled", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		ws := c.probe()
		c.post(send("by polling"), "2")
		ws.write("5")
		assert.Equal(t, "3", ws.read(), "the pong")
		ws.write(send("by WebSocket"))
		synctest.Wait()
		assert.Equal(t, []string{"by polling", "by WebSocket"}, k.chat.contents())
	})

	bubble(t, "polling after an upgrade is refused, and a second WebSocket at any time", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		ws := c.probe()
		_, err := k.dial(webSocket + "&sid=" + c.sid)
		require.EqualError(t, err, "400 Bad Request")
		ws.write("5")
		synctest.Wait()
		_, err = k.dial(webSocket + "&sid=" + c.sid)
		require.EqualError(t, err, "400 Bad Request")
		assert.Equal(t, http.StatusBadRequest, c.do(http.MethodGet, c.target, "").status)
		assert.Equal(t, http.StatusBadRequest, c.post("2").status)
		k.broadcast(c.id, message("still here"))
		assert.Equal(t, "still here", content(t, ws.read()))
	})

	bubble(t, "the loss of the WebSocket after an upgrade drops the session", func(t *testing.T) {
		k := newKit(t)
		ws := k.newPolling().probe()
		ws.write("5")
		synctest.Wait()
		_ = ws.ws.Close()
		synctest.Wait()
		assert.Zero(t, k.server.Len())
		assert.Equal(t, []ports.Departure{ports.Dropped}, k.chat.departures())
	})
}

func TestUpgrade_failed(t *testing.T) {
	failures := map[string]func(ws *socketClient){
		"hangs up":                 func(ws *socketClient) { _ = ws.ws.Close() },
		"says something else":      func(ws *socketClient) { ws.write("6") },
		"never says the last word": func(*socketClient) { time.Sleep(10 * time.Second) },
	}
	for name, fail := range failures {
		bubble(t, "an upgrade whose client "+name+" leaves it polling, and may be tried again", func(t *testing.T) {
			k := newKit(t)
			c := k.newPolling()
			ws := c.probe()
			k.broadcast(c.id, message("meanwhile"))
			fail(ws)
			synctest.Wait()
			packets := c.poll()
			require.Len(t, packets, 1)
			assert.Equal(t, "meanwhile", content(t, packets[0]))
			again := c.probe()
			again.write("5")
			k.broadcast(c.id, message("moved"))
			assert.Equal(t, "moved", content(t, again.read()))
		})
	}

	bubble(t, "an upgrade without a probe ends within its time", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		ws, err := k.dial(webSocket + "&sid=" + c.sid)
		require.NoError(t, err)
		before := time.Now()
		ws.hangsUp()
		assert.Equal(t, 10*time.Second, time.Since(before))
		assert.Equal(t, 1, k.server.Len())
	})

	ends := map[string]func(c *pollingClient){
		"says goodbye by polling": func(c *pollingClient) { c.post("41", "1") },
		"does not ping":           func(*pollingClient) { time.Sleep(pingInterval + pingTimeout) },
	}
	for name, end := range ends {
		bubble(t, "an upgrade is over when its client "+name+" in the middle of it", func(t *testing.T) {
			k := newKit(t)
			c := k.newPolling()
			ws := c.probe()
			end(c)
			ws.hangsUp()
			synctest.Wait()
			assert.Zero(t, k.server.Len())
			assert.Len(t, k.chat.departures(), 1)
		})
	}
}
