package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/mock/gomock"

	"parley/adapters/httpapi"
	"parley/domain"
	"parley/mocks"
	"parley/ports"
)

// maxBody is the bound of a body in these tests.
const maxBody = 200_000

// backendSite is an API with a mocked application, behind a real server.
type backendSite struct {
	t      *testing.T
	api    *httpapi.API
	app    *mocks.MockBackend
	server *httptest.Server
	logs   *logbook
}

// backends serves the API to backends. The token `service` is of the coach's backend, `user` of ann.
func backends(t *testing.T) *backendSite {
	t.Helper()
	s := &backendSite{t: t, app: mocks.NewMockBackend(gomock.NewController(t)), logs: &logbook{}}
	s.api = httpapi.New(httpapi.Config{
		SocketIO:    http.NotFoundHandler(),
		AllowOrigin: func(string) bool { return true },
		Backend:     s.app, Authenticate: authenticate, MaxBody: maxBody,
	}, slog.New(slog.NewTextHandler(s.logs, nil)))
	s.server = httptest.NewServer(s.api)
	t.Cleanup(s.server.Close)
	return s
}

func authenticate(_ context.Context, token string) (domain.Identity, error) {
	switch token {
	case "service":
		return domain.Identity{User: "coach-backend", Service: true}, nil
	case "user":
		return domain.Identity{User: "ann", Grants: []string{"*"}}, nil
	case "expired":
		return domain.Identity{}, domain.Errorf(domain.CodeTokenExpired, "the token has expired")
	case "unverifiable":
		return domain.Identity{}, domain.Errorf(domain.CodeUnavailable, "the keys cannot be had")
	}
	return domain.Identity{}, domain.Errorf(domain.CodeUnauthorized, "the token is not valid")
}

// exchange is a request. Unless header says otherwise it has the service token, and its body, if any,
// is said to be JSON.
type exchange struct {
	method, target, body string
	// header has lines "Name: value"; "Name:" leaves it out.
	header []string
	// unsized sends the body without its length.
	unsized bool
}

// reply is the answer to an exchange.
type reply struct {
	status int
	header http.Header
	body   string
	// closed says that the server ends the connection.
	closed bool
}

// send makes the exchange, and checks it against the document.
func (s *backendSite) send(e exchange) reply {
	s.t.Helper()
	var body io.Reader = strings.NewReader(e.body)
	if e.unsized {
		body = io.MultiReader(body)
	}
	request, err := http.NewRequest(e.method, s.server.URL+e.target, body)
	require.NoError(s.t, err)
	request.Header.Set("Authorization", "Bearer service")
	if e.body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, line := range e.header {
		name, value, _ := strings.Cut(line, ":")
		request.Header.Del(name)
		if value = strings.TrimSpace(value); value != "" {
			request.Header.Set(name, value)
		}
	}
	answer, err := s.server.Client().Do(request)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	document().check(s.t, request, e.body, answer.StatusCode, answer.Header, got)
	return reply{answer.StatusCode, answer.Header, strings.TrimSuffix(string(got), "\n"), answer.Close}
}

// post sends a body to a conversation named room-7.
func (s *backendSite) post(path, body string) reply {
	s.t.Helper()
	return s.send(exchange{method: http.MethodPost, target: "/v1/conversations/room-7" + path, body: body})
}

func (s *backendSite) get(target string) reply {
	s.t.Helper()
	return s.send(exchange{method: http.MethodGet, target: target})
}

// assertRefused checks that a reply is a problem with the detail and the code.
func assertRefused(t *testing.T, r reply, status int, code domain.Code, detail string) {
	t.Helper()
	assert.Equal(t, status, r.status, r.body)
	assert.Equal(t, "application/problem+json", r.header.Get("Content-Type"))
	quoted, err := json.Marshal(detail)
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf(`{"title":%q,"status":%d,"detail":%s,"code":%q}`, http.StatusText(status), status, quoted, code), r.body)
}

var (
	noon    = time.Date(2026, 3, 1, 13, 0, 0, 5_999_999, time.FixedZone("", 3600))
	errDown = domain.Errorf(domain.CodeUnavailable, "the log cannot be reached")
	errBug  = errors.New("secret: hunter2")
)

// answerAll has every method of the application return the error, or some result if it is nil.
func (s *backendSite) answerAll(err error) {
	all := gomock.Any()
	m := s.app.EXPECT()
	m.Publish(all, all).Return(ports.Receipt{Message: "m"}, err).AnyTimes()
	m.OpenStream(all, all).Return(ports.Stream{Message: "m"}, err).AnyTimes()
	m.AppendStream(all, all, all, all).Return(ports.Stream{Message: "m", Next: 1}, err).AnyTimes()
	m.CloseStream(all, all, all, all).Return(ports.Receipt{Message: "m"}, err).AnyTimes()
	m.AbortStream(all, all, all).Return(err).AnyTimes()
	m.Update(all, all, all).Return(err).AnyTimes()
	m.Announce(all, all, all, all).Return(err).AnyTimes()
	m.ShowTyping(all, all, all, all).Return(err).AnyTimes()
	m.Conversations(all, all, all).Return(nil, err).AnyTimes()
	m.Members(all, all).Return(nil, err).AnyTimes()
	m.Messages(all, all, all).Return(domain.History{}, err).AnyTimes()
	m.OpenSessions(all, all, all, all).Return(nil, err).AnyTimes()
	m.EndSession(all, all).Return(err).AnyTimes()
	m.EndSessions(all, all).Return(0, err).AnyTimes()
}

// ctx is whatever context a request comes with.
var ctx = gomock.Any()
