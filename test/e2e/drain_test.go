package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDrain stops a server that has clients: it must tell load balancers, close its clients' connections one after the
// other over DRAIN_TIME, and take no new ones.
func TestDrain(t *testing.T) {
	t.Parallel()
	const drainTime = 8 * time.Second // three quarters of it remain for the requests made once the first client is gone
	s := boot(t, map[string]string{"DRAIN_TIME": drainTime.String()})
	clients := make([]*raw, 4)
	for i := range clients {
		clients[i] = s.connect(t, "member", "lobby")
	}
	address := s.app.URL()
	status, body := get(t, address+"/readyz")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"status":"ok"}`, body)

	start := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()

	require.Eventually(t, func() bool {
		status, body, err := tryRequest(http.MethodGet, address+"/readyz", "", nil)
		return err == nil && status == http.StatusServiceUnavailable && assert.JSONEq(t, `{"status":"draining"}`, body)
	}, drainTime, 10*time.Millisecond, "readiness must fail while clients are let go")
	ends := make(chan time.Duration, len(clients))
	for _, client := range clients {
		go func() {
			code, err := client.ended()
			assert.NoError(t, err)
			assert.Equal(t, websocket.CloseNoStatusReceived, code)
			client.close()
			ends <- time.Since(start)
		}()
	}
	// Readiness fails before connections are refused. Once the first client has been closed, they are refused.
	last := <-ends
	status, _ = get(t, address+"/healthz")
	assert.Equal(t, http.StatusOK, status, "the process is well")
	status, body = get(t, address+pollingPath)
	assert.Equal(t, http.StatusServiceUnavailable, status, "nobody new gets in")
	assert.NotContains(t, body, "sid")

	for range len(clients) - 1 {
		last = <-ends
	}
	assert.Greater(t, last, drainTime/2, "they go one after the other")
	require.NoError(t, <-stopped)
	assert.Less(t, time.Since(start), drainTime+10*time.Second)
}
