//go:build linux

package swarm_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"

	"parley/test/load/internal/swarm"
	"parley/test/load/internal/wire"
)

func TestSwarm_Stall(t *testing.T) {
	t.Run("a stuck connection that the server gives up is counted, though nobody reads it", func(t *testing.T) {
		var mu sync.Mutex
		var members []*websocket.Conn
		seq := 0
		url := serve(t, func(ws *websocket.Conn, p wire.Packet) []string {
			mu.Lock()
			defer mu.Unlock()
			if isJoin(p) {
				members = append(members, ws)
				return []string{joinOK}
			}
			if seq++; seq == 1 {
				_ = members[1].Close()
			}
			return []string{message(content(p), seq), fmt.Sprintf(`43%d[{"ok":true,"seq":%d}]`, p.ID, seq)}
		})
		s := lone(t, url, swarm.Config{Clients: 2, Stalled: 1, Joining: 1})
		connected(t, s)
		s.Stall()
		out := run(t, s)
		assert.Equal(t, 1, out.Ended)
		assert.Empty(t, out.Dropped, "it is not one of those that were to be served")
		assert.True(t, out.Deliveries.Clean())
	})
}
