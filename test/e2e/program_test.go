package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/internal/command"
)

// buildTime bounds a build from scratch.
const buildTime = 5 * time.Minute

// TestProgram runs the built binary: what it prints when it cannot start, and how it stops on a signal.
func TestProgram(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "parley")
	output, err := command.Run(buildTime, "../..", nil, "go", "build", "-o", program, ".")
	require.NoError(t, err, "%s", output)

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	_, takenPort, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)

	for _, r := range append(refusals,
		refusal{"on a port that is taken", []string{"HOST=127.0.0.1", "PORT=" + takenPort, "ADMIN_ADDR=off"}, 1, []string{takenPort, "in use"}},
		refusal{"with an admin port that is taken", []string{"HOST=127.0.0.1", "PORT=0", "ADMIN_ADDR=127.0.0.1:" + takenPort}, 1, []string{takenPort, "in use"}},
	) {
		t.Run(r.name+" it does not start and says why", func(t *testing.T) { r.check(t, program) })
	}
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run("at "+signal.String()+" it lets its clients go and ends well", func(t *testing.T) { stops(t, program, signal) })
	}
	t.Run("it goes on and ends well when nobody reads its log any more", func(t *testing.T) { outlivesItsReader(t, program) })
	t.Run("a signal that comes as soon as it listens ends it well too", func(t *testing.T) {
		for range 10 {
			p := start(t, program, "JWT_SECRET="+secret, "HOST=127.0.0.1", "PORT=0", "ADMIN_ADDR=off")
			require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
			require.NoError(t, p.wait(), "exit code")
		}
	})
}

// refusal is a start that must fail.
type refusal struct {
	name string
	// variables are added to a good JWT_SECRET, which they may replace.
	variables []string
	code      int
	// says are texts that the program's output must contain.
	says []string
}

var refusals = []refusal{
	{"without a secret", []string{"JWT_SECRET="}, 2, []string{"JWT_SECRET", "PARLEY_DEV=1"}},
	{"with a PORT that is no number", []string{"PORT=abc"}, 2, []string{`PORT="abc"`, "0 to 65535"}},
	{"with a PORT that is too high", []string{"PORT=65536"}, 2, []string{`PORT="65536"`, "0 to 65535"}},
	{"with an unknown LOG_LEVEL", []string{"LOG_LEVEL=loud"}, 2, []string{`LOG_LEVEL="loud"`, "debug, info, warn or error"}},
	{"with a time without a unit", []string{"PING_INTERVAL=25"}, 2, []string{`PING_INTERVAL="25"`, "25s"}},
	{"with a negative size", []string{"MAX_CONTENT=-1"}, 2, []string{`MAX_CONTENT="-1"`, "a number of bytes"}},
	{"with every origin allowed", []string{"ALLOWED_ORIGINS=*"}, 2, []string{`ALLOWED_ORIGINS="*"`, "https://app.example.com"}},
	{
		"with two bad values",
		[]string{"CONVERSATION_ACCESS=everyone", "MESSAGE_LOG=paper"},
		2,
		[]string{`CONVERSATION_ACCESS="everyone"`, "claims or authenticated", `MESSAGE_LOG="paper"`, "memory"},
	},
}

func (r refusal) check(t *testing.T, program string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program)
	command.Env = append([]string{"JWT_SECRET=" + secret}, r.variables...)
	said, err := command.CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	require.True(t, ok, "it ended with %v: %s", err, said)
	assert.Equal(t, r.code, exit.ExitCode(), "%s", said)
	for _, part := range r.says {
		assert.Contains(t, string(said), part)
	}
	assert.NotContains(t, string(said), secret)
}

func stops(t *testing.T, program string, signal os.Signal) {
	p := start(t, program, "JWT_SECRET="+secret, "HOST=127.0.0.1", "PORT=0", "ADMIN_ADDR=127.0.0.1:0")
	alice, err := dial(p.url, &net.Dialer{Timeout: patience})
	require.NoError(t, err)
	t.Cleanup(alice.close)
	require.NoError(t, alice.enter(tokenFor(t, "alice")))

	require.NoError(t, p.command.Process.Signal(signal))
	// No packet may come before the close: after a DISCONNECT the official client does not reconnect.
	_, err = alice.read()
	closed, ok := errors.AsType[*websocket.CloseError](err)
	require.True(t, ok, "the client sees %v", err)
	assert.Equal(t, websocket.CloseNoStatusReceived, closed.Code)
	alice.close()
	require.NoError(t, p.wait(), "exit code")
	_, err = net.DialTimeout("tcp", p.url[len("http://"):], patience)
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func outlivesItsReader(t *testing.T, program string) {
	// At debug it logs every step of its stop.
	p := start(t, program, "JWT_SECRET="+secret, "HOST=127.0.0.1", "PORT=0", "ADMIN_ADDR=off", "LOG_LEVEL=debug")
	require.NoError(t, p.stderr.Close())
	alice, err := dial(p.url, &net.Dialer{Timeout: patience})
	require.NoError(t, err)
	t.Cleanup(alice.close)
	require.NoError(t, alice.enter(tokenFor(t, "alice")))
	alice.close()
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.wait(), "exit code")
}

// process is a running parley.
type process struct {
	command *exec.Cmd
	url     string
	// stderr is the reading end of its standard error, which is read until it is closed.
	stderr io.Closer
	// wait waits for its end, and returns an error unless the exit code is 0.
	wait func() error
}

// start starts the program and waits until it listens.
func start(t *testing.T, program string, variables ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, program)
	command.Env = variables
	stderr, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	lines := bufio.NewScanner(stderr)
	drained := make(chan struct{})
	p := &process{command: command, stderr: stderr, wait: func() error {
		<-drained
		return command.Wait()
	}}
	t.Cleanup(func() { _ = command.Process.Kill() }) // it has ended, if all is well
	for lines.Scan() {
		var line struct {
			Msg string `json:"msg"`
			URL string `json:"url"`
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line), "%s", lines.Bytes())
		if line.Msg == "listening" {
			p.url = line.URL
			break
		}
	}
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, stderr) // it ends with the process
	}()
	require.NotEmpty(t, p.url, "it never listened")
	return p
}
