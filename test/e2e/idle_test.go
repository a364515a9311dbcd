package e2e_test

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestConnectTimeout: a connection without an accepted CONNECT is closed after CONNECT_TIMEOUT.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	// Long enough for the witness to connect on a busy machine.
	const timeout = 2 * time.Second
	s := boot(t, map[string]string{"CONNECT_TIMEOUT": timeout.String(), "PING_INTERVAL": "100ms"})
	undisturbed := s.witness(t)

	for name, say := range map[string]string{
		"nothing":                      "",
		"CONNECT with a bad token":     `40{"token":"open sesame"}`,
		"CONNECT to another namespace": "40/other,",
	} {
		t.Run("a client that says "+name+" is let go in time, though it answers pings", func(t *testing.T) {
			start := time.Now() // no later than the server starts its timer
			silent := s.open(t)
			if say != "" {
				require.NoError(t, silent.write(say))
			}
			code, err := silent.ended()
			require.NoError(t, err)
			assert.Equal(t, websocket.CloseNoStatusReceived, code)
			assert.GreaterOrEqual(t, time.Since(start), timeout)
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

// TestHeartbeat: a client that does not answer pings loses its connection, and no one else does.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	// The healthy client answers no pings either while the other one connects, which may take long on a busy machine.
	s := boot(t, map[string]string{"PING_INTERVAL": "500ms", "PING_TIMEOUT": "4s", "PRESENCE_GRACE": "0s"})
	healthy := s.connect(t, "healthy", "lobby")
	dead := s.connect(t, "dead", "lobby") // it reads nothing, so it answers nothing
	_, err := healthy.readUntil(`42["user_left",`)
	require.NoError(t, err)
	s.waitForConnections(t, 1, patience)
	_, err = dead.ended()
	require.NoError(t, err)
}
