package e2e_test

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestConnectTimeout: who does not say who they are is not kept.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	const timeout = 300 * time.Millisecond
	s := boot(t, map[string]string{"CONNECT_TIMEOUT": timeout.String(), "PING_INTERVAL": "50ms"})
	undisturbed := s.witness(t)

	for name, say := range map[string]string{
		"nothing":                      "",
		"CONNECT with a bad token":     `40{"token":"open sesame"}`,
		"CONNECT to another namespace": "40/other,",
	} {
		t.Run("a client that says "+name+" is let go in time, though it answers pings", func(t *testing.T) {
			silent := s.open(t)
			start := time.Now()
			if say != "" {
				require.NoError(t, silent.write(say))
			}
			code, err := silent.ended()
			require.NoError(t, err)
			assert.Equal(t, websocket.CloseNoStatusReceived, code)
			assert.GreaterOrEqual(t, time.Since(start), timeout-50*time.Millisecond)
		})
	}
	t.Run("a client that polls is told so", func(t *testing.T) {
		p := s.openPolling(t)
		for {
			packet := p.poll(t)
			if packet == "2" {
				p.accepted(t, "3")
				continue
			}
			assert.Equal(t, "1", packet)
			break
		}
	})
	undisturbed(t)
	s.waitForConnections(t, 1, lingering)
}

// TestHeartbeat: who does not answer pings is let go, and no one else.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	s := boot(t, map[string]string{"PING_INTERVAL": "100ms", "PING_TIMEOUT": "500ms", "PRESENCE_GRACE": "0s"})
	healthy := s.connect(t, "healthy", "lobby")
	dead := s.connect(t, "dead", "lobby") // it reads nothing, so it answers nothing
	_, err := healthy.readUntil(`42["user_left",`)
	require.NoError(t, err)
	s.waitForConnections(t, 1, patience)
	_, err = dead.ended()
	require.NoError(t, err)
}
