package legacy_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

func TestSlow(t *testing.T) {
	bubble(t, "a client that reads nothing delays nobody and is closed when its outbox is full", func(t *testing.T) {
		k := newKit(t)
		reader, polled, stuck := k.newSocket(), k.newPolling(), k.newSocket()
		to := []domain.SessionID{stuck.id, polled.id, reader.id}
		began := time.Now()
		for range 20 {
			k.hub.Broadcast(to, "", message(strings.Repeat("x", 900)))
			assert.Len(t, content(t, reader.read()), 900)
			assert.Len(t, content(t, polled.poll()[0]), 900)
		}
		assert.Zero(t, time.Since(began), "somebody waited")
		synctest.Wait()
		assert.Equal(t, []ports.Departure{ports.Dropped}, k.chat.departures())
		assert.Equal(t, 2, k.server.Len())
	})

	bubble(t, "a client that does not take a frame in time is closed", func(t *testing.T) {
		k := newKit(t)
		stuck := k.newSocket()
		k.broadcast(stuck.id, message("unread"))
		time.Sleep(10*time.Second - time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, 1, k.server.Len())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Zero(t, k.server.Len())
	})

	const large = 3 << 20
	// slowly takes half of a large message, and the other half, each just in time.
	slowly := func(t *testing.T, from io.Reader) {
		for half := make([]byte, large/2); t.Context().Err() == nil; {
			time.Sleep(9 * time.Second)
			_, err := io.ReadFull(from, half)
			require.NoError(t, err)
			if strings.Contains(string(half), "the end") {
				return
			}
		}
	}
	end := strings.Repeat("x", large/4) + "the end" + strings.Repeat("x", large/4)

	bubble(t, "a client that reads slowly gets a large frame", func(t *testing.T) {
		k := newKit(t)
		c := k.newSocket()
		k.broadcast(c.id, message(strings.Repeat("x", large/2)+end))
		slowly(t, c.ws.UnderlyingConn())
		assert.Empty(t, k.chat.departures())
	})

	bubble(t, "a client that reads slowly gets a large answer to its poll", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		conn, err := k.pipes.dial()
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET "+c.target+" HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		k.broadcast(c.id, message(strings.Repeat("x", large/2)+end))
		slowly(t, conn)
		assert.Empty(t, k.chat.departures())
	})

	bubble(t, "a client that does not poll is closed when its outbox is full", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		for range 9 {
			k.broadcast(c.id, message(strings.Repeat("x", 900)))
		}
		synctest.Wait()
		assert.Equal(t, 1, k.server.Len())
		k.broadcast(c.id, message(strings.Repeat("x", 900)))
		synctest.Wait()
		assert.Zero(t, k.server.Len())
	})

	bubble(t, "ephemeral events are dropped first", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		for range 200 {
			k.broadcast(c.id, typing("bob"))
		}
		for range 9 {
			k.broadcast(c.id, message(strings.Repeat("x", 900)))
		}
		packets := c.poll()
		require.Len(t, packets, 9)
		assert.Len(t, content(t, packets[0]), 900)
	})

	bubble(t, "a message larger than the outbox is sent if the outbox is empty", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		k.broadcast(c.id, message(strings.Repeat("x", 50_000)))
		assert.Len(t, content(t, c.poll()[0]), 50_000)
	})

	bubble(t, "pongs count against the outbox", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		ping := "2" + strings.Repeat("x", 4000)
		c.post(ping, ping)
		synctest.Wait()
		assert.Equal(t, 1, k.server.Len())
		c.post(ping)
		synctest.Wait()
		assert.Zero(t, k.server.Len())
	})
}
