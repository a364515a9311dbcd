package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/internal/command"
	"parley/test/internal/npm"
	"parley/test/model"
)

// TestOfficialCrowd has two hundred official clients talk while half of them lose their connection every second and
// recover it. No one may miss a message, or get one twice or out of order.
func TestOfficialCrowd(t *testing.T) {
	t.Parallel()
	npm.Install(t, "js")
	// A client that is cut off in the middle of its upgrade notices only when a heartbeat is missing.
	s := boot(t, map[string]string{"RECOVERY_WINDOW": "60s", "PRESENCE_GRACE": "60s", "PING_INTERVAL": "1s", "PING_TIMEOUT": "5s"})
	file := filepath.Join(t.TempDir(), "run.json")
	env := []string{"PARLEY_URL=" + s.app.URL(), "JWT_SECRET=" + secret, "RUN=" + file}
	start := time.Now()
	output, err := command.Run(suiteTime, "js", env, "node", "crowd.mjs")
	require.NoError(t, err, "%s", output)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var all model.Run
	require.NoError(t, json.Unmarshal(text, &all))
	verdict := model.Check(all)
	t.Logf("%d clients, %v: %s", len(all.Parties), time.Since(start).Round(time.Second), verdict)
	require.Empty(t, verdict.Faults)
	assert.Len(t, all.Parties, 200)
	assert.Greater(t, verdict.Deliveries, 1_000)
	assert.Greater(t, verdict.Recovered, 100, "the connections that were lost are recovered")
	assert.Positive(t, verdict.Confirmed)
	s.waitForConnections(t, 0, lingering)
}
