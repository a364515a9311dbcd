package bootstrap_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"parley/bootstrap"
)

// dial opens a WebSocket and reads the Engine.IO handshake.
func (r *running) dial() *websocket.Conn {
	r.t.Helper()
	conn, answer, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(r.URL(), "http")+"/socket.io/?EIO=4&transport=websocket", nil)
	require.NoError(r.t, err)
	_ = answer.Body.Close()
	r.t.Cleanup(func() { _ = conn.Close() })
	_, _, err = conn.ReadMessage()
	require.NoError(r.t, err)
	return conn
}

func TestStopWithClients(t *testing.T) {
	const clients = 5
	const drain = 4 * time.Second // long enough to ask /readyz between the first client's end and the last one's
	idle := goleak.IgnoreCurrent()
	r := start(t, "DRAIN_TIME="+drain.String())
	begin := time.Now()
	gone := make(chan time.Duration, clients)
	for range clients {
		conn := r.dial()
		go func() {
			defer conn.Close()
			_, _, err := conn.ReadMessage()
			assert.True(t, websocket.IsCloseError(err, websocket.CloseNoStatusReceived), "%v", err)
			gone <- time.Since(begin)
		}()
	}
	_, handshake := get(t, r.URL()+pollingPath)
	polled := make(chan string, 1)
	go func() {
		_, body := get(t, r.URL()+sessionPath(handshake))
		polled <- body
	}()
	begin = time.Now()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.stop()
	}()
	first := <-gone
	status, body := get(t, r.URL()+"/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, status, "load balancers are told while clients leave")
	assert.JSONEq(t, `{"status":"draining"}`, body)
	last := first
	for range clients - 1 {
		last = <-gone
	}
	assert.Equal(t, "1", <-polled)
	<-stopped
	assert.Greater(t, last-first, drain/2, "they left over the time of the drain")
	assert.Less(t, time.Since(begin), drain+5*time.Second)
	assertNobodyListens(t, r.URL())
	goleak.VerifyNone(t, idle)
}

// A request that never ends must not keep the process from ending.
func TestStopIsForcedWhenItsTimeIsOver(t *testing.T) {
	idle := goleak.IgnoreCurrent()
	r := start(t)
	endless, err := net.Dial("tcp", strings.TrimPrefix(r.AdminURL(), "http://"))
	require.NoError(t, err)
	defer endless.Close()
	_, err = fmt.Fprint(endless, "GET /debug/pprof/trace?seconds=60 HTTP/1.1\r\nHost: parley\r\n\r\n")
	require.NoError(t, err)
	answer := bufio.NewReader(endless)
	line, err := answer.ReadString('\n') // then the request is under way
	require.NoError(t, err)
	require.Contains(t, line, "200 OK")

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	r.once.Do(func() { assert.ErrorIs(t, r.Stop(ctx), context.DeadlineExceeded) })
	_, err = answer.WriteTo(io.Discard)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is closed, not abandoned")
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, idle)
}

func TestRun(t *testing.T) {
	t.Run("refuses a configuration that is not allowed", func(t *testing.T) {
		t.Setenv("PORT", "many")
		errors := captureStderr(t)
		assert.Equal(t, 2, bootstrap.Run())
		assert.Contains(t, errors(), `parley: PORT="many" is not allowed`)
	})

	t.Run("says why it cannot start", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer taken.Close()
		setDev(t)
		t.Setenv("PORT", fmt.Sprint(taken.Addr().(*net.TCPAddr).Port))
		errors := captureStderr(t)
		assert.Equal(t, 1, bootstrap.Run())
		assert.Contains(t, errors(), "parley: HOST and PORT: listen tcp")
	})

	t.Run("serves until a signal tells it to stop, even right after the start", func(t *testing.T) {
		// If Run did not catch the signal, it would end the test process without this.
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		defer signal.Stop(signals)
		setDev(t)
		t.Setenv("PORT", "0")
		read, write, err := os.Pipe()
		require.NoError(t, err)
		stderr := os.Stderr
		os.Stderr = write
		defer func() { os.Stderr = stderr }()
		ended := make(chan int, 1)
		go func() {
			defer write.Close()
			ended <- bootstrap.Run()
		}()
		lines := bufio.NewScanner(read)
		for lines.Scan() && !strings.Contains(lines.Text(), "msg=listening") {
		}
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
		select {
		case code := <-ended:
			assert.Zero(t, code)
		case <-time.After(stopTime):
			require.Fail(t, "the signal was not heard")
		}
		for lines.Scan() {
			assert.NotContains(t, lines.Text(), "level=ERROR")
		}
		_ = read.Close()
	})
}

func setDev(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{"PARLEY_DEV": "1", "ADMIN_ADDR": "off", "LOG_FORMAT": "text", "DRAIN_TIME": "0"} {
		t.Setenv(name, value)
	}
}

// captureStderr redirects os.Stderr to a file. The returned function restores it and returns what was written.
func captureStderr(t *testing.T) func() string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	require.NoError(t, err)
	stderr := os.Stderr
	os.Stderr = file
	return func() string {
		os.Stderr = stderr
		require.NoError(t, file.Close())
		all, err := os.ReadFile(file.Name())
		require.NoError(t, err)
		return string(all)
	}
}
