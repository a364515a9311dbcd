package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/internal/command"
	"parley/test/internal/npm"
)

// suites are the files in js, each with what its server is told beside the usual.
var suites = map[string]map[string]string{
	"connect.test.mjs":      nil,
	"churn.test.mjs":        {"CONNECT_TIMEOUT": "1s"},
	"auth.test.mjs":         nil,
	"origin.test.mjs":       nil,
	"conversation.test.mjs": nil,
	"message.test.mjs":      nil,
	"replay.test.mjs":       nil,
	"errors.test.mjs":       nil,
	"presence.test.mjs":     {"PRESENCE_GRACE": "4s"},
	"reconnect.test.mjs":    {"PING_INTERVAL": "400ms", "PING_TIMEOUT": "10s"},
	"restart.test.mjs":      nil,
	"history.test.mjs":      nil,
	"typing.test.mjs":       nil,
	"refresh.test.mjs":      nil,
	"drain.test.mjs":        {"DRAIN_TIME": "4s"},
	"confirm.test.mjs":      {"RECOVERY_WINDOW": "10s", "PRESENCE_GRACE": "4s", "PING_INTERVAL": "2s", "PING_TIMEOUT": "8s"},
	// A client that is cut off in the middle of its upgrade notices by the heartbeat alone.
	"recover.test.mjs": {"RECOVERY_WINDOW": "60s", "PING_INTERVAL": "400ms", "PING_TIMEOUT": "6s"},
}

// suiteTime bounds a run of Node.js. Its own limit, which counts for each file as a whole, comes a little earlier.
const suiteTime = 4 * time.Minute

// lingering is how long a polling session may be kept for a client that never asks again: the time to CONNECT or to
// answer a ping, which these servers keep short, and ten seconds to hear of the end.
const lingering = 25 * time.Second

func TestOfficialClient(t *testing.T) {
	files, err := filepath.Glob("js/*.test.mjs")
	require.NoError(t, err)
	require.Len(t, files, len(suites), "every suite must be run")
	npm.Install(t, "js")
	for _, file := range files {
		name := filepath.Base(file)
		variables, known := suites[name]
		require.True(t, known, "%s is not run: give it a server in suites", name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := boot(t, variables)
			runSuite(t, s, name)
			s.waitForConnections(t, 0, lingering)
		})
	}
}

var countLine = regexp.MustCompile(`(?m)^ℹ (tests|pass|skipped|todo) (\d+)$`)

// runSuite runs one file of js against the server.
func runSuite(t *testing.T, s *server, name string) {
	t.Helper()
	env := []string{"PARLEY_URL=" + s.app.URL(), "JWT_SECRET=" + secret, "CONTROL_URL=" + newControl(t, s)}
	output, err := command.Run(suiteTime, "js", env, "node", "--test", "--test-reporter=spec", "--test-timeout=220000", name)
	if err != nil {
		// The reporter repeats at the end what failed.
		if _, failures, ok := strings.Cut(output, "failing tests:"); ok {
			output = failures
		}
		t.Fatalf("%v:\n%s", err, output)
	}
	counts := map[string]string{}
	for _, line := range countLine.FindAllStringSubmatch(output, -1) {
		counts[line[1]] = line[2]
	}
	assert.NotContains(t, []string{"", "0", "1"}, counts["tests"], "nothing was tested:\n%s", output)
	assert.Equal(t, counts["tests"], counts["pass"], "what was not run is not known to work:\n%s", output)
}

// newControl lets a suite stop its server and start it again, and returns where.
func newControl(t *testing.T, s *server) string {
	t.Helper()
	obey := func(order func() error) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if err := order(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /stop", obey(s.stop))
	mux.HandleFunc("POST /start", obey(s.start))
	control := httptest.NewServer(mux)
	t.Cleanup(control.Close)
	return control.URL
}
