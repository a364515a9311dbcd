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

// suites are the files in js, each with the configuration its server needs beyond that of boot.
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
	// A client that is cut off in the middle of its upgrade notices only when a heartbeat is missing.
	"recover.test.mjs": {"RECOVERY_WINDOW": "60s", "PING_INTERVAL": "400ms", "PING_TIMEOUT": "6s"},
}

// suiteTime bounds one run of Node.js from outside.
const suiteTime = 4 * time.Minute

// testTimeout is the flag for Node's own limit for one file, in milliseconds. It is shorter than suiteTime, so that the report names
// the test that hangs.
const testTimeout = "--test-timeout=220000"

// lingering is how long a server here may keep the polling session of a client that is gone: until CONNECT or a pong is
// overdue, which these servers configure to be soon, and then ten seconds in which the client could still ask why.
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
	runNodeTests(t, name, "PARLEY_URL="+s.app.URL(), "JWT_SECRET="+secret, "CONTROL_URL="+newControl(t, s))
}

// runNodeTests runs one file of js with the environment. It fails unless at least two tests ran and all passed: a test
// that was skipped proves nothing.
func runNodeTests(t *testing.T, name string, env ...string) {
	t.Helper()
	output, err := command.Run(suiteTime, "js", env, "node", "--test", "--test-reporter=spec", testTimeout, name)
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
	assert.Equal(t, counts["tests"], counts["pass"], "some tests were skipped:\n%s", output)
}

// newControl serves POST /stop and POST /start, with which a suite stops its server and starts it again, and returns
// the URL of these routes.
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
