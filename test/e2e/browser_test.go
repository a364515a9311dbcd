package e2e_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/test/internal/command"
	"parley/test/internal/npm"
)

// browserTime bounds the browser's tests as a whole.
const browserTime = 5 * time.Minute

// TestBrowser runs the chat page of dev mode in a real browser; see ../browser.
func TestBrowser(t *testing.T) {
	t.Parallel()
	require.True(t, hasChromium(), "the browser test needs Chromium: run test/browser/install-chromium.sh")
	// A closing browser may leave a polling session behind, which only the heartbeat ends.
	s := boot(t, map[string]string{"PARLEY_DEV": "1", "RECOVERY_WINDOW": "120s", "CONNECT_TIMEOUT": "3s", "PING_INTERVAL": "2s", "PING_TIMEOUT": "6s"})
	_, page := get(t, s.app.URL())
	require.Contains(t, page, "<script", "the chat page is not part of this build: run `make web`")
	npm.Install(t, "../browser")
	output, err := command.Run(browserTime, "../browser", []string{"PARLEY_URL=" + s.app.URL()}, "npm", "test")
	require.NoError(t, err, "%s", output)
	s.waitForConnections(t, 0, lingering)
}

// hasChromium looks for Chromium where the tests in ../browser look for it.
func hasChromium() bool {
	if path := os.Getenv("CHROMIUM_PATH"); path != "" {
		_, err := os.Stat(path)
		return err == nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}
