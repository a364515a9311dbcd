package e2e_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/test/internal/command"
	"parley/test/internal/npm"
)

// TestLibrary runs the official client, with its usual and its MessagePack parser, against the example server of
// package sio.
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

	runNodeTests(t, "msgpack.mjs", "LIBRARY_URL="+address)
}
