package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/adapters/httpapi"
	"parley/domain"
)

func TestHealth(t *testing.T) {
	s := serve(t, nil)
	for range 2 {
		answer := s.ask(http.MethodGet, "/healthz", "")
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Equal(t, "application/json", answer.Header.Get("Content-Type"))
		assert.Equal(t, "{\"status\":\"ok\"}\n", text(t, answer))
		s.api.Drain() // the process is still alive
	}
}

func TestReady(t *testing.T) {
	s := serve(t, nil)
	answer := s.ask(http.MethodGet, "/readyz", "")
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, "{\"status\":\"ok\"}\n", text(t, answer))
	s.api.Drain()
	s.api.Drain()
	answer = s.ask(http.MethodGet, "/readyz", "")
	assert.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	assert.Equal(t, "{\"status\":\"draining\"}\n", text(t, answer))
}

func TestSocketIO(t *testing.T) {
	t.Run("Socket.IO gets every request for its path, and does its own CORS", func(t *testing.T) {
		for _, s := range []*site{serve(t, nil), serve(t, &httpapi.Dev{})} {
			for _, method := range []string{
				http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodHead,
			} {
				answer := s.ask(method, "/socket.io/?EIO=4&transport=polling", "", "Origin: "+page)
				assert.Equal(t, http.StatusTeapot, answer.StatusCode, method)
				assert.Empty(t, answer.Header.Get("Access-Control-Allow-Origin"))
				assert.Empty(t, answer.Header.Get("Vary"))
			}
		}
	})

	t.Run("Socket.IO is not served on other paths", func(t *testing.T) {
		s := serve(t, nil)
		for _, path := range []string{"/socket.io", "/socket.iox/", "/socket.io/socket.io.js", "/x/socket.io/"} {
			assert.Equal(t, http.StatusNotFound, s.ask(http.MethodGet, path, "").StatusCode, path)
		}
	})
}

func TestProblems(t *testing.T) {
	s := serve(t, &httpapi.Dev{})

	t.Run("an unknown path is a problem", func(t *testing.T) {
		assertProblem(t, serve(t, nil).ask(http.MethodGet, "/nowhere", ""), 404, `{"title":"Not Found","status":404}`)
		assertProblem(t, s.ask(http.MethodGet, "/nowhere", ""), 404, `{"title":"Not Found","status":404}`)
	})

	t.Run("a wrong method is a problem that names the right ones", func(t *testing.T) {
		for _, s := range []*site{s, serve(t, nil)} {
			answer := s.ask(http.MethodDelete, "/healthz", "")
			assertProblem(t, answer, 405, `{"title":"Method Not Allowed","status":405}`)
			assert.Contains(t, answer.Header.Get("Allow"), http.MethodGet)
		}
	})

	t.Run("a panic says nothing to the client and all to the operator, once", func(t *testing.T) {
		s := serve(t, nil)
		answer := s.ask(http.MethodGet, "/socket.io/?panic", "")
		assertProblem(t, answer, 500, `{"title":"Internal Server Error","status":500,"detail":"internal error","code":"INTERNAL"}`)
		assert.Equal(t, 1, strings.Count(s.logs.String(), "level=ERROR"), s.logs.String())
		assert.Contains(t, s.logs.String(), "boom: secret")
		assert.Contains(t, s.logs.String(), "server_test.go", "the stack")
	})

	t.Run("nothing is logged for a client's mistake", func(t *testing.T) {
		s := serve(t, nil)
		s.ask(http.MethodGet, "/nowhere", "")
		s.ask(http.MethodPost, "/healthz", "")
		assert.Empty(t, s.logs.String())
	})
}

func TestCORS(t *testing.T) {
	t.Run("an allowed origin gets CORS headers, and its preflight an answer", func(t *testing.T) {
		s := serve(t, &httpapi.Dev{})
		for path, method := range map[string]string{"/healthz": http.MethodGet, "/readyz": http.MethodGet, "/dev/token": http.MethodPost} {
			answer := s.ask(method, path, "", "Origin: "+page)
			assert.Equal(t, page, answer.Header.Get("Access-Control-Allow-Origin"))
			assert.Equal(t, "true", answer.Header.Get("Access-Control-Allow-Credentials"))
			assert.Equal(t, "Origin", answer.Header.Get("Vary"))

			answer = s.ask(http.MethodOptions, path, "", "Origin: "+page,
				"Access-Control-Request-Method: "+method, "Access-Control-Request-Headers: content-type")
			assert.Equal(t, http.StatusNoContent, answer.StatusCode, path)
			assert.Equal(t, page, answer.Header.Get("Access-Control-Allow-Origin"), path)
			assert.Contains(t, answer.Header.Get("Access-Control-Allow-Methods"), method)
			assert.Equal(t, "content-type", answer.Header.Get("Access-Control-Allow-Headers"))
		}
	})

	t.Run("another origin gets no CORS headers", func(t *testing.T) {
		s := serve(t, &httpapi.Dev{})
		for _, origin := range []string{"https://app.example.com.evil.tld", "http://app.example.com", "https://evil.tld", "null", page + "/"} {
			for _, method := range []string{http.MethodGet, http.MethodOptions} {
				answer := s.ask(method, "/healthz", "", "Origin: "+origin, "Access-Control-Request-Method: GET")
				for name := range answer.Header {
					assert.NotContains(t, name, "Access-Control-", "%s %s", method, origin)
				}
				assert.Equal(t, "Origin", answer.Header.Get("Vary"))
			}
		}
	})

	t.Run("a request without an origin gets no CORS headers", func(t *testing.T) {
		answer := serve(t, nil).ask(http.MethodGet, "/healthz", "")
		assert.Empty(t, answer.Header.Get("Access-Control-Allow-Origin"))
	})
}

func TestEveryCodeHasAStatus(t *testing.T) {
	want := map[domain.Code]int{
		domain.CodeUnauthorized:      401,
		domain.CodeTokenExpired:      401,
		domain.CodeForbidden:         403,
		domain.CodeNotInConversation: 403,
		domain.CodeInvalidPayload:    400,
		domain.CodePayloadTooLarge:   413,
		domain.CodeRateLimited:       429,
		domain.CodeLimitExceeded:     409,
		domain.CodeDraining:          503,
		domain.CodeUnavailable:       503,
		domain.CodeInternal:          500,
		domain.CodeNotFound:          404,
		domain.CodeConflict:          409,
	}
	for _, code := range append(domain.Codes(), "A_CODE_OF_TOMORROW") {
		t.Run(string(code)+" has a status", func(t *testing.T) {
			status, known := want[code]
			if !known {
				status = 500
			}
			answer := serve(t, refusing(domain.Errorf(code, "no"))).ask(http.MethodPost, "/dev/token", `{"userId":"alice"}`, "Content-Type: application/json")
			pause := ""
			if code == domain.CodeDraining {
				pause = `,"retryAfterMs":1000`
			}
			assertProblem(t, answer, status,
				`{"title":"`+http.StatusText(status)+`","status":`+answer.Status[:3]+`,"detail":"no","code":"`+string(code)+`"`+pause+`}`)
		})
	}
	assert.Len(t, want, len(domain.Codes()))
}
