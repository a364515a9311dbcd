package engineio_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// room is a set of sessions, which come and go, that are sent numbers in order.
type room struct {
	mu      sync.Mutex
	members map[*engineio.Session]bool
	next    int
}

func (r *room) join(p *peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[p.session] = true
	p.onClosed = func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.members, p.session)
	}
}

// count sends the next number to all, with the lock held, as callers of Multicast may.
func (r *room) count() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	engineio.Multicast(maps.Keys(r.members), textPacket(strconv.Itoa(r.next)))
}

// countUntil sends numbers until done is closed, at a pace that leaves the clients some of the processors.
func (r *room) countUntil(done <-chan struct{}) {
	pace := time.NewTicker(20 * time.Microsecond)
	defer pace.Stop()
	for {
		select {
		case <-done:
			return
		case <-pace.C:
			r.count()
		}
	}
}

func TestTCP_Multicast(t *testing.T) {
	t.Run("sessions that come and go get every number of their time, in order", func(t *testing.T) {
		r := &room{members: make(map[*engineio.Session]bool)}
		k := onLoopback(t, engineio.Config{OutboxBytes: 16 << 20}, r.join)
		var counting, clients sync.WaitGroup
		done := make(chan struct{})
		for range 3 {
			counting.Go(func() { r.countUntil(done) })
		}
		for i := range 8 {
			clients.Go(func() {
				for round := range 10 {
					ws := k.openWebSocket()
					checkNumbers(t, ws.readText(50+10*i))
					switch (i + round) % 4 {
					case 0:
						ws.close()
					case 1:
						ws.abort()
					case 2:
						ws.send(websocket.OpClose, nil)
						checkNumbers(t, ws.readToEnd())
					case 3:
						ws.peer.session.Close()
						checkNumbers(t, ws.readToEnd())
					}
				}
			})
		}
		clients.Wait()
		close(done)
		counting.Wait()
		assert.Eventually(t, func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return k.engine.Len() == 0 && len(r.members) == 0
		}, patience, tick)
	})

	t.Run("sessions of several servers may be mixed", func(t *testing.T) {
		a, b := onLoopback(t, engineio.Config{}), onLoopback(t, engineio.Config{})
		var clients []*wsClient
		for range 40 {
			clients = append(clients, a.openWebSocket(), b.openWebSocket())
		}
		engineio.Multicast(slices.Values(sessions(clients)), textPacket("to all"), binaryPacket(1))
		for _, ws := range clients {
			require.Equal(t, text("4to all"), ws.read())
			require.Equal(t, frame{op: websocket.OpBinary, data: "\x01"}, ws.read())
		}
	})
}

func TestTCP_Shutdown(t *testing.T) {
	t.Run("a shutdown under traffic leaves nobody and nothing behind", func(t *testing.T) {
		for range 2 {
			r := &room{members: make(map[*engineio.Session]bool)}
			k := onLoopback(t, engineio.Config{OutboxBytes: 16 << 20, WriteTimeout: 3 * time.Second}, r.join)
			var readers, counting sync.WaitGroup
			for i := range 10 {
				ws := k.openWebSocket()
				if i%2 == 0 {
					continue // this one does not read
				}
				readers.Go(func() {
					checkNumbers(t, ws.readToEnd())
				})
			}
			done := make(chan struct{})
			counting.Go(func() { r.countUntil(done) })
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			assert.NoError(t, k.engine.Shutdown(ctx, 10*time.Millisecond))
			assert.Zero(t, k.engine.Len())
			r.mu.Lock()
			assert.Empty(t, r.members, "every receiver has been told when Shutdown returns")
			r.mu.Unlock()
			cancel()
			close(done)
			readers.Wait()
			counting.Wait()
		}
	})
}

// checkNumbers checks that each number is one more than that before it.
func checkNumbers(t *testing.T, texts []string) {
	t.Helper()
	for i := 1; i < len(texts); i++ {
		var before, after int
		_, err := fmt.Sscanf(texts[i-1]+" "+texts[i], "4%d 4%d", &before, &after)
		if !assert.NoError(t, err, strings.Join(texts[i-1:i+1], " ")) || !assert.Equal(t, before+1, after) {
			return
		}
	}
}

// readToEnd returns the texts up to the end of the connection, which must come with a close frame.
func (ws *wsClient) readToEnd() (texts []string) {
	for {
		f := ws.read()
		if f.op != websocket.OpText {
			assert.Equal(ws.t, websocket.OpClose, f.op, "%+v", f)
			ws.close()
			return texts
		}
		texts = append(texts, f.data)
	}
}
