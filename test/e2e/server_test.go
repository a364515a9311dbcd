package e2e_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/bootstrap"
)

// secret signs the tokens of all clients.
const secret = "the secret of the end-to-end tests"

// patience bounds every wait for something that happens at once unless it has failed.
const patience = time.Minute

// server is Parley as in production, on free ports of the loopback. app is nil while it is stopped.
type server struct {
	app       *bootstrap.App
	variables map[string]string
	logs      *logs
}

// boot starts a server with the defaults below, which the variables override. It is stopped when the test is over.
func boot(t *testing.T, variables map[string]string) *server {
	t.Helper()
	s := &server{variables: map[string]string{
		"HOST": "127.0.0.1", "PORT": "0", "ADMIN_ADDR": "127.0.0.1:0", "JWT_SECRET": secret, "DRAIN_TIME": "0s",
		// Tests of recovery switch it on. Without it, events carry no offset and every connection gets a new id.
		"RECOVERY_WINDOW": "0s",
	}, logs: &logs{}}
	maps.Copy(s.variables, variables)
	t.Cleanup(func() {
		assert.NoError(t, s.stop(), "the server must stop in time")
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.logs)
		}
	})
	require.NoError(t, s.start())
	return s
}

// start starts the server. The first start takes a free port, and later ones take the same port again.
func (s *server) start() error {
	config, err := bootstrap.LoadConfig(s.variables)
	if err != nil {
		return err
	}
	app, err := bootstrap.New(config, s.logs)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := app.Start(ctx); err != nil {
		return err
	}
	s.app = app
	address, err := url.Parse(app.URL())
	if err != nil {
		return err
	}
	s.variables["PORT"] = address.Port()
	return nil
}

// stop stops the server if it runs.
func (s *server) stop() error {
	if s.app == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := s.app.Stop(ctx)
	s.app = nil
	return err
}

var connectionsMetric = regexp.MustCompile(`(?m)^parley_connections (\S+)$`)

// connections returns the number of open connections according to /metrics.
func (s *server) connections(t *testing.T) int {
	t.Helper()
	status, body := get(t, s.app.AdminURL()+"/metrics")
	require.Equal(t, http.StatusOK, status)
	found := connectionsMetric.FindStringSubmatch(body)
	require.Len(t, found, 2, "no parley_connections in the metrics")
	n, err := strconv.ParseFloat(found[1], 64)
	require.NoError(t, err)
	return int(n)
}

// waitForConnections waits until exactly want connections are open, and fails the test after atMost.
func (s *server) waitForConnections(t *testing.T, want int, atMost time.Duration) {
	t.Helper()
	deadline := time.NewTimer(atMost)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		n := s.connections(t)
		if n == want {
			return
		}
		select {
		case <-again.C:
		case <-deadline.C:
			require.Equal(t, want, n, "open connections after %v", atMost)
		}
	}
}

// client keeps no idle connections, which would be leaked goroutines when the tests end.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

func get(t *testing.T, address string) (status int, body string) {
	t.Helper()
	return request(t, http.MethodGet, address, "", nil)
}

// request makes one request and returns its answer.
func request(t *testing.T, method, address, body string, header http.Header) (status int, answer string) {
	t.Helper()
	status, answer, err := tryRequest(method, address, body, header)
	require.NoError(t, err)
	return status, answer
}

func tryRequest(method, address, body string, header http.Header) (status int, answer string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	maps.Copy(r.Header, header)
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return response.StatusCode, string(read), err
}

// tokenFor returns a token, valid for an hour, that lets the user into every conversation.
func tokenFor(t *testing.T, user string) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": user, "exp": time.Now().Add(time.Hour).Unix(), "conversations": []string{"*"},
	}).SignedString([]byte(secret))
	require.NoError(t, err)
	return token
}

// logs keeps what a server logs, to be shown if its test fails.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
