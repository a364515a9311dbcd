package e2e_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/internal/command"
	"parley/test/internal/npm"
)

// TestLibrary runs the official client, with both of its parsers, against the example server of the library.
func TestLibrary(t *testing.T) {
	npm.Install(t, "js")
	program := filepath.Join(t.TempDir(), "conformance")
	output, err := command.Run(5*time.Minute, "../..", nil, "go", "build", "-o", program, "./adapters/socketio/sio/examples/conformance")
	require.NoError(t, err, output)

	server := exec.CommandContext(t.Context(), program)
	server.Env = append(os.Environ(), "PORT=0", "PING_INTERVAL=5s", "PING_TIMEOUT=20s")
	stdout, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	address := strings.TrimSpace(strings.TrimPrefix(line, "listening on "))

	output, err = command.Run(suiteTime, "js", []string{"LIBRARY_URL=" + address},
		"node", "--test", "--test-reporter=spec", "--test-timeout=220000", "msgpack.mjs")
	require.NoError(t, err, output)
	counts := map[string]string{}
	for _, found := range countLine.FindAllStringSubmatch(output, -1) {
		counts[found[1]] = found[2]
	}
	assert.NotEqual(t, "0", counts["tests"], output)
	assert.Equal(t, counts["tests"], counts["pass"], output)
	assert.Equal(t, "0", counts["skipped"], output)
	assert.Equal(t, "0", counts["todo"], output)
}
