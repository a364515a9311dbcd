package engineio_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

func TestRetain_ping(t *testing.T) {
	config := engineio.Config{Retain: 100_000}
	// pings reads n events, answers the pings among them, and returns their number.
	pings := func(ws *wsClient, n int) (pings int) {
		for n > 0 {
			if f := ws.read(); f == text("2") {
				pings++
				ws.sendText("3")
				synctest.Wait()
				continue
			}
			n--
		}
		return pings
	}

	bubble(t, "a busy session is pinged every 512 packets, after what is to be proved", func(t *testing.T) {
		ws := inMemory(t, config).openWebSocket()
		ws.peer.numbered(1, 512)
		assert.Zero(t, pings(ws, 512))
		start := time.Now()
		ws.peer.numbered(513, 513)
		ws.readText(1)
		assert.Equal(t, text("2"), ws.read())
		assert.Zero(t, time.Since(start))
		ws.peer.numbered(514, 5000)
		assert.Zero(t, pings(ws, 4487), "one at a time")
		ws.sendText("3")
		synctest.Wait()
		ws.peer.numbered(5001, 5001)
		ws.readText(1)
		assert.Equal(t, text("2"), ws.read(), "there is more to prove already")
		ws.sendText("3")
		synctest.Wait()
		start = time.Now()
		ws.peer.numbered(5002, 5513)
		assert.Zero(t, pings(ws, 512))
		assert.Equal(t, text("2"), ws.read())
		assert.Equal(t, interval, time.Since(start), "the next one in its time")
	})

	bubble(t, "a busy session is not pinged more than needed", func(t *testing.T) {
		ws := inMemory(t, config).openWebSocket()
		count := 0
		for i := range 10 {
			ws.peer.numbered(1000*i, 1000*i+999)
			count += pings(ws, 1000)
		}
		assert.LessOrEqual(t, count, 10_000/512)
		assert.GreaterOrEqual(t, count, 9)
	})

	bubble(t, "a session is pinged after a megabyte", func(t *testing.T) {
		ws := inMemory(t, config).openWebSocket()
		for i := range 3 {
			ws.peer.session.Send(textPacket(strings.Repeat("x", 400_000)).Retain("a", fmt.Sprint(i)))
			assert.Len(t, ws.readText(1), 1)
		}
		start := time.Now()
		assert.Equal(t, text("2"), ws.read())
		assert.Zero(t, time.Since(start))
	})

	bubble(t, "a session that remembers little is pinged after a quarter of that", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{Retain: 40}).openWebSocket()
		ws.peer.numbered(1, 11)
		ws.readText(11)
		start := time.Now()
		assert.Equal(t, text("2"), ws.read())
		assert.Zero(t, time.Since(start))
	})

	bubble(t, "a client that does not answer an early ping is let go in the usual time", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{Retain: 40}).openWebSocket()
		ws.peer.numbered(1, 11)
		ws.readText(12)
		start := time.Now()
		assert.Equal(t, hungUp, ws.read())
		assert.Equal(t, timeout, time.Since(start))
	})

	bubble(t, "packets that are not remembered cause no early ping", func(t *testing.T) {
		for _, config := range []engineio.Config{{Retain: 40}, {}} {
			ws := inMemory(t, config).openWebSocket()
			for range 2000 {
				ws.peer.session.Send(textPacket("unmarked"))
			}
			if config.Retain == 0 {
				ws.peer.numbered(1, 1000)
				ws.readText(1000)
			}
			ws.readText(2000)
			start := time.Now()
			assert.Equal(t, text("2"), ws.read())
			assert.Equal(t, interval, time.Since(start))
		}
	})
}
