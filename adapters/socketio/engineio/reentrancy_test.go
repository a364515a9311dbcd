package engineio_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

// A receiver may call any method of the session from anywhere, whatever locks are held.
func TestReentrancy(t *testing.T) {
	calls := map[string]func(*engineio.Session){
		"Send":  func(s *engineio.Session) { s.Send(textPacket("x")) },
		"Close": func(s *engineio.Session) { s.Close() },
		"Do":    func(s *engineio.Session) { s.Do(func() { s.Close() }) },
		"the end of the outbox": func(s *engineio.Session) {
			for range 3 {
				s.Send(textPacket("x"), binaryPacket(make([]byte, 2000)...))
			}
		},
	}
	for name, call := range calls {
		bubble(t, name+" within accept, Receive, Do and Closed does not block", func(t *testing.T) {
			k := inMemory(t, engineio.Config{OutboxBytes: 1000}, func(p *peer) {
				p.onReceive = func([]byte, bool) { call(p.session) }
				p.onClosed = func() { call(p.session) }
			})
			c := k.handshake()
			got := c.beginPost("4x").wait()
			assert.Contains(t, []int{http.StatusOK, http.StatusBadRequest}, got.status)
			c.peer.session.Do(func() { call(c.peer.session) })
			ws := k.openWebSocket()
			ws.sendText("4x", "4y")
			ws.close()
			time.Sleep(time.Hour)
			synctest.Wait()
			assert.Zero(t, k.engine.Len())
			assert.Len(t, c.peer.ended(), 1)
			assert.Len(t, ws.peer.ended(), 1)
		})
	}

	bubble(t, "an Authorize that takes long holds up nobody else", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Authorize: func(r *http.Request) (any, error) {
			if r.URL.Query().Get("slow") != "" {
				time.Sleep(time.Minute)
				return nil, errors.New("no")
			}
			return nil, nil
		}})
		slow := k.begin(http.MethodGet, polling+"&slow=1", nil)
		assert.True(t, slow.waiting())
		start := time.Now()
		k.handshake()
		assert.Zero(t, time.Since(start))
		assert.Equal(t, http.StatusForbidden, slow.wait().status)
	})
}
