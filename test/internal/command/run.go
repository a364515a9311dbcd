// Package command runs other programs for tests, each for a bounded time.
package command

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startTime bounds the start of a server.
const startTime = 30 * time.Second

// Run runs a program in the folder to its end, and returns all that it wrote to standard output and standard error. env
// is added to this process's environment. The error says that it failed, or that it was killed after atMost.
func Run(atMost time.Duration, folder string, env []string, name string, args ...string) (output string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = folder
	command.Env = append(os.Environ(), env...)
	// The program may start others. A process group of its own lets Cancel end them all.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = 10 * time.Second
	written, err := command.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("%s did not end in %v", name, atMost)
	}
	return string(written), err
}

// Start starts a program in the folder, which is killed when the test is over, and returns the first line it writes to
// standard output: for a server, where it listens. Without such a line within startTime the test fails.
func Start(t *testing.T, folder string, env []string, name string, args ...string) (line string) {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = folder
	command.Env = append(os.Environ(), env...)
	command.Stderr = t.Output()
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill() // how it ends says nothing
		_ = command.Wait()
	})
	late := time.AfterFunc(startTime, func() { _ = command.Process.Kill() })
	defer late.Stop()
	line, err = bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, "%s %s did not start", name, args)
	return strings.TrimSuffix(line, "\n")
}
