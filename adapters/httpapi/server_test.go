package httpapi_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/httpapi"
)

const page = "https://app.example.com"

// site is an API and what it logged.
type site struct {
	t    *testing.T
	api  *httpapi.API
	logs *logbook
}

// serve makes an API whose Socket.IO handler answers everything with 418.
func serve(t *testing.T, dev *httpapi.Dev) *site {
	t.Helper()
	teapot := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("panic") {
			panic("boom: secret")
		}
		w.WriteHeader(http.StatusTeapot)
	})
	s := &site{t: t, logs: &logbook{}}
	s.api = httpapi.New(httpapi.Config{
		SocketIO: teapot, AllowOrigin: func(origin string) bool { return origin == page }, Dev: dev,
	}, slog.New(slog.NewTextHandler(s.logs, nil)))
	return s
}

// ask makes a request; header lines are "Name: value".
func (s *site) ask(method, target, body string, header ...string) *http.Response {
	s.t.Helper()
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			request.Host = value
			continue
		}
		request.Header.Add(name, value)
	}
	return s.do(request)
}

func (s *site) do(request *http.Request) *http.Response {
	s.t.Helper()
	answer := httptest.NewRecorder()
	s.api.ServeHTTP(answer, request)
	if !strings.HasPrefix(request.URL.Path, "/v1/") { // a site does not serve these
		document().check(s.t, request, "", answer.Code, answer.Header(), answer.Body.Bytes())
	}
	return answer.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(body)
}

// assertProblem checks that the answer is problem details (RFC 9457) with exactly these members.
func assertProblem(t *testing.T, r *http.Response, status int, want string) {
	t.Helper()
	assert.Equal(t, status, r.StatusCode)
	assert.Equal(t, "application/problem+json", r.Header.Get("Content-Type"))
	body := text(t, r)
	assert.True(t, json.Valid([]byte(body)), body)
	assert.Equal(t, want, body)
}

// logbook is what was logged.
type logbook struct {
	mu  sync.Mutex
	all strings.Builder
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
