package bootstrap_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/goleak"

	"parley/bootstrap"
)

// stopTime bounds every stop, which takes far less.
const stopTime = 30 * time.Second

// running is a started App on free ports. It is stopped when the test ends, unless it was stopped before.
type running struct {
	*bootstrap.App
	t    *testing.T
	logs *logbook
	once sync.Once
}

func start(t *testing.T, variables ...string) *running {
	t.Helper()
	r := &running{t: t, logs: &logbook{}}
	defaults := []string{"HOST=127.0.0.1", "PORT=0", "ADMIN_ADDR=127.0.0.1:0", "DRAIN_TIME=0"}
	app, err := bootstrap.New(load(t, append(defaults, variables...)...), r.logs)
	require.NoError(t, err)
	require.NoError(t, app.Start(t.Context()))
	r.App = app
	t.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	r.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		assert.NoError(r.t, r.Stop(ctx))
		http.DefaultClient.CloseIdleConnections()
	})
}

const pollingPath = "/socket.io/?EIO=4&transport=polling"

// sessionPath returns the path of the polling session that the handshake, `0{"sid":"…",…}`, has opened.
func sessionPath(handshake string) string {
	return pollingPath + "&sid=" + strings.Split(handshake, `"`)[3]
}

// goodbye closes the polling session of the handshake; otherwise the stop would wait for its client.
func (r *running) goodbye(handshake string) {
	status, _ := request(r.t, http.MethodPost, r.URL()+sessionPath(handshake), "1")
	assert.Equal(r.t, http.StatusOK, status)
}

func get(t *testing.T, url string, header ...string) (int, string) {
	t.Helper()
	return request(t, http.MethodGet, url, "", header...)
}

func request(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(all)
}

// freePort returns a port of 127.0.0.1 that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

func assertNobodyListens(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(addr, "http://"))
	if err == nil {
		_ = conn.Close()
	}
	assert.Error(t, err, "somebody still listens")
}

func TestGraph(t *testing.T) {
	for name, config := range map[string]bootstrap.Config{
		"in production": load(t),
		"in dev mode":   load(t, "PARLEY_DEV=1"),
	} {
		t.Run("is whole "+name, func(t *testing.T) {
			assert.NoError(t, fx.ValidateApp(
				bootstrap.Module, fx.Supply(config, fx.Annotate(io.Discard, fx.As(new(io.Writer)))), fx.NopLogger,
			))
			app, err := bootstrap.New(config, io.Discard)
			require.NoError(t, err)
			assert.NoError(t, app.Err())
			goleak.VerifyNone(t) // nothing is started before Start
		})
	}
}

func TestApp(t *testing.T) {
	t.Run("serves from start to stop, and leaves nothing", func(t *testing.T) {
		idle := goleak.IgnoreCurrent()
		r := start(t)
		assert.ErrorContains(t, goleak.Find(idle, goleak.IgnoreTopFunction("net.(*netFD).Accept")), "bootstrap.(*ticker).start",
			"nobody sweeps the log")
		status, body := get(t, r.URL()+"/readyz")
		assert.Equal(t, http.StatusOK, status)
		assert.JSONEq(t, `{"status":"ok"}`, body)
		status, body = get(t, r.AdminURL()+"/metrics")
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, "parley_connections 0\n")
		for _, path := range []string{"/metrics", "/debug/pprof/", "/dev/token", "/"} {
			status, _ = get(t, r.URL()+path)
			assert.Equal(t, http.StatusNotFound, status, "%s is public", path)
		}
		r.stop()
		assertNobodyListens(t, r.URL())
		assertNobodyListens(t, r.AdminURL())
		goleak.VerifyNone(t, idle)
	})

	t.Run("opens no second listener when that is off", func(t *testing.T) {
		r := start(t, "ADMIN_ADDR=off")
		assert.Empty(t, r.AdminURL())
		assert.NotContains(t, r.logs.String(), "WARN")
	})

	t.Run("tells clients what is configured", func(t *testing.T) {
		r := start(t, "PING_INTERVAL=7s", "PING_TIMEOUT=3s", "MAX_PAYLOAD=0", "ALLOWED_ORIGINS=https://app.example.com")
		status, body := get(t, r.URL()+pollingPath, "Origin: https://app.example.com")
		assert.Equal(t, http.StatusOK, status)
		assert.Regexp(t, `^0\{"sid":"[^"]+","upgrades":\["websocket"\],"pingInterval":7000,"pingTimeout":3000,"maxPayload":2147483647\}$`, body)
		r.goodbye(body)
		status, _ = get(t, r.URL()+pollingPath, "Origin: http://localhost:5173")
		assert.Equal(t, http.StatusForbidden, status)
	})

	t.Run("hands out tokens in dev mode, and accepts them", func(t *testing.T) {
		r := start(t, "PARLEY_DEV=1")
		status, body := request(t, http.MethodPost, r.URL()+"/dev/token", `{"userId":"alice"}`, "Content-Type: application/json")
		assert.Equal(t, http.StatusOK, status)
		var answer struct{ Token, ExpiresAt string }
		require.NoError(t, json.Unmarshal([]byte(body), &answer))
		status, body = get(t, r.URL()+pollingPath, "Authorization: Bearer "+answer.Token)
		assert.Equal(t, http.StatusOK, status)
		r.goodbye(body)
		status, _ = get(t, r.URL()+pollingPath, "Authorization: Bearer "+answer.Token+"x")
		assert.Equal(t, http.StatusUnauthorized, status)
		status, _ = get(t, r.URL()+"/")
		assert.Equal(t, http.StatusOK, status)
	})

	t.Run("logs in the chosen form and from the chosen level on", func(t *testing.T) {
		r := start(t)
		for line := range strings.Lines(r.logs.String()) {
			assert.True(t, json.Valid([]byte(line)), line)
		}
		assert.Contains(t, r.logs.String(), `"msg":"listening","url":"`+r.URL()+`","admin":"`)
		assert.NotContains(t, r.logs.String(), "DEBUG")
		assert.Contains(t, start(t, "LOG_FORMAT=text", "LOG_LEVEL=debug").logs.String(), "level=DEBUG")
		assert.Empty(t, start(t, "LOG_LEVEL=error").logs.String())
	})

	t.Run("warns of a secret that can be guessed, and does not log it", func(t *testing.T) {
		r := start(t, "JWT_SECRET=short-and-secret", "LOG_LEVEL=debug")
		assert.Contains(t, r.logs.String(), "JWT_SECRET is shorter than 32 bytes")
		assert.NotContains(t, r.logs.String(), "short-and-secret")
		assert.NotContains(t, start(t).logs.String(), "JWT_SECRET")
	})
}

func TestPortsThatAreTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	host, port, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)

	t.Run("the public one fails the start, by name, and leaves nothing", func(t *testing.T) {
		idle := goleak.IgnoreCurrent()
		admin := freePort(t)
		app, err := bootstrap.New(load(t, "HOST="+host, "PORT="+port, "ADMIN_ADDR=127.0.0.1:"+admin), io.Discard)
		require.NoError(t, err)
		err = app.Start(t.Context())
		require.Error(t, err)
		assert.Contains(t, err.Error(), "HOST and PORT: ")
		assert.Contains(t, err.Error(), "address already in use")
		assertNobodyListens(t, "127.0.0.1:"+admin)
		goleak.VerifyNone(t, idle)
	})

	t.Run("the admin one fails the start if it was chosen, and leaves nothing", func(t *testing.T) {
		idle := goleak.IgnoreCurrent()
		public := freePort(t)
		app, err := bootstrap.New(load(t, "HOST=127.0.0.1", "PORT="+public, "ADMIN_ADDR="+taken.Addr().String()), io.Discard)
		require.NoError(t, err)
		err = app.Start(t.Context())
		require.Error(t, err)
		assert.Contains(t, err.Error(), "ADMIN_ADDR: ")
		assertNobodyListens(t, "127.0.0.1:"+public)
		goleak.VerifyNone(t, idle)
	})

	t.Run("the admin one only logs a warning if it was not chosen", func(t *testing.T) {
		other, err := net.Listen("tcp", "127.0.0.1:9464")
		if err == nil { // else another process has taken it, which serves as well
			defer other.Close()
		}
		r := start(t, "ADMIN_ADDR=")
		assert.Empty(t, r.AdminURL())
		status, _ := get(t, r.URL()+"/healthz")
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, r.logs.String(), "ADMIN_ADDR is taken")
	})
}

// logbook collects what is logged.
type logbook struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
