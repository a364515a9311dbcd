package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/httpapi"
	"parley/domain"
)

// signing is dev mode with readable tokens.
func signing(files fstest.MapFS) *httpapi.Dev {
	return &httpapi.Dev{
		Page: files,
		Sign: func(user domain.UserID, service bool) (string, time.Time, error) {
			if service {
				return "service token of " + string(user), time.Time{}, nil
			}
			return "token of " + string(user), time.Date(2026, 3, 1, 13, 0, 0, 5_999_999, time.FixedZone("", 3600)), nil
		},
	}
}

func refusing(err error) *httpapi.Dev {
	return &httpapi.Dev{Sign: func(domain.UserID, bool) (string, time.Time, error) { return "", time.Time{}, err }}
}

var built = fstest.MapFS{
	"index.html":        {Data: []byte("<!doctype html><title>Parley</title>")},
	"assets/index-1.js": {Data: []byte("export {};")},
	"assets/page-1.css": {Data: []byte("body{}")},
	"assets/mark-1.svg": {Data: []byte("<svg/>")},
	".gitkeep":          {},
}

func TestDevRoutesAreAbsentOutsideDevMode(t *testing.T) {
	s := serve(t, nil)
	assertProblem(t, s.ask(http.MethodPost, "/dev/token", `{"userId":"alice"}`, "Content-Type: application/json"), 404,
		`{"title":"Not Found","status":404}`)
	for _, path := range []string{"/", "/index.html", "/dev", "/dev/token", "/assets/index-1.js"} {
		assert.Equal(t, http.StatusNotFound, s.ask(http.MethodGet, path, "").StatusCode, path)
	}
}

func TestDevToken(t *testing.T) {
	t.Run("a token is made for whoever asks", func(t *testing.T) {
		answer := serve(t, signing(nil)).ask(http.MethodPost, "/dev/token", `{"userId":"alice","more":1}`, "Content-Type: application/json")
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Equal(t, "application/json", answer.Header.Get("Content-Type"))
		assert.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
		assert.Equal(t, `{"token":"token of alice","expiresAt":"2026-03-01T12:00:00.005Z"}`+"\n", text(t, answer))
	})

	t.Run("a token may be that of a backend", func(t *testing.T) {
		answer := serve(t, signing(nil)).ask(http.MethodPost, "/dev/token", `{"userId":"coach","service":true}`, "Content-Type: application/json")
		assert.Equal(t, `{"token":"service token of coach","expiresAt":"0001-01-01T00:00:00.000Z"}`+"\n", text(t, answer))
	})

	t.Run("no token is made for pages whose host name may be another site's", func(t *testing.T) {
		const body, asJSON = `{"userId":"alice"}`, "Content-Type: application/json"
		dev := signing(nil)
		assert.Equal(t, http.StatusOK, serve(t, dev).ask(http.MethodPost, "/dev/token", body, asJSON, "Host: evil.example.com").StatusCode)
		dev.Local = true
		s := serve(t, dev)
		for _, host := range []string{"localhost", "LOCALHOST:3000", "127.0.0.1", "127.0.0.1:3000", "[::1]", "[::1]:3000", "192.168.0.7:3000"} {
			assert.Equal(t, http.StatusOK, s.ask(http.MethodPost, "/dev/token", body, asJSON, "Host: "+host).StatusCode, host)
		}
		for _, host := range []string{"evil.example.com", "evil.example.com:3000", "localhost.evil.example.com", "127.0.0.1.evil.example.com"} {
			answer := s.ask(http.MethodPost, "/dev/token", body, asJSON, "Host: "+host)
			assert.Equal(t, http.StatusForbidden, answer.StatusCode, host)
			assert.NotContains(t, text(t, answer), "token of")
		}
	})

	t.Run("the expiry of a token has milliseconds even if they are zero", func(t *testing.T) {
		dev := &httpapi.Dev{Sign: func(domain.UserID, bool) (string, time.Time, error) { return "", time.Unix(0, 0), nil }}
		answer := serve(t, dev).ask(http.MethodPost, "/dev/token", `{"userId":"alice"}`, "Content-Type: application/json")
		assert.Contains(t, text(t, answer), `"1970-01-01T00:00:00.000Z"`)
	})

	long := strings.Repeat("x", 129)
	for name, tc := range map[string]struct {
		contentType, body, detail string
		status                    int
	}{
		"no body":               {"application/json", ``, `the body must be JSON: {"userId": "…"}`, 400},
		"no content type":       {"", `{"userId":"alice"}`, `the body must be JSON: {"userId": "…"}`, 400},
		"a form":                {"application/x-www-form-urlencoded", `userId=alice`, `the body must be JSON: {"userId": "…"}`, 400},
		"plain text":            {"text/plain", `{"userId":"alice"}`, `the body must be JSON: {"userId": "…"}`, 400},
		"XML":                   {"application/xml", `<tokenRequest><UserID>alice</UserID></tokenRequest>`, `the body must be JSON: {"userId": "…"}`, 400},
		"half an object":        {"application/json", `{"userId":`, `the body must be JSON: {"userId": "…"}`, 400},
		"more than an object":   {"application/json", `{"userId":"alice"} x`, `the body must be JSON: {"userId": "…"}`, 400},
		"a number":              {"application/json", `{"userId":7}`, `the body must be JSON: {"userId": "…"}`, 400},
		"an array":              {"application/json", `["alice"]`, `the body must be JSON: {"userId": "…"}`, 400},
		"an empty object":       {"application/json", `{}`, `userId is missing`, 400},
		"null":                  {"application/json; charset=utf-8", `{"userId":null}`, `userId is missing`, 400},
		"a user with a space":   {"application/json", `{"userId":"a b"}`, `userId may hold only letters, digits and ._:-@`, 400},
		"a user with a newline": {"application/json", `{"userId":"a\nb"}`, `userId may hold only letters, digits and ._:-@`, 400},
		"a long user":           {"application/json", `{"userId":"` + long + `"}`, `userId is longer than 128 characters`, 400},
		"a very long body":      {"application/json", `{"userId":"` + strings.Repeat("x", 100_000) + `"}`, `the body is longer than 4096 bytes`, 413},
	} {
		t.Run("a token is refused for "+name, func(t *testing.T) {
			s := serve(t, signing(nil))
			answer := s.ask(http.MethodPost, "/dev/token", tc.body, "Content-Type: "+tc.contentType)
			detail, err := json.Marshal(tc.detail)
			require.NoError(t, err)
			code := map[int]string{400: "INVALID_PAYLOAD", 413: "PAYLOAD_TOO_LARGE"}[tc.status]
			assertProblem(t, answer, tc.status, `{"title":"`+http.StatusText(tc.status)+`","status":`+answer.Status[:3]+
				`,"detail":`+string(detail)+`,"code":"`+code+`"}`)
			assert.Empty(t, s.logs.String())
		})
	}

	t.Run("a token that cannot be signed is an error without its reason", func(t *testing.T) {
		s := serve(t, refusing(errors.New("the key is hunter2")))
		answer := s.ask(http.MethodPost, "/dev/token", `{"userId":"alice"}`, "Content-Type: application/json")
		assertProblem(t, answer, 500, `{"title":"Internal Server Error","status":500,"detail":"internal error","code":"INTERNAL"}`)
		assert.Contains(t, s.logs.String(), "hunter2")
	})

	t.Run("a token cannot be had by GET", func(t *testing.T) {
		answer := serve(t, signing(built)).ask(http.MethodGet, "/dev/token", "")
		assert.NotEqual(t, http.StatusOK, answer.StatusCode)
		assert.NotContains(t, text(t, answer), "token of")
	})
}

// policy is the page's content security policy: it may load its own files and talk to this server, nothing else.
const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

func TestPage(t *testing.T) {
	t.Run("the page is served with its assets and its security headers", func(t *testing.T) {
		s := serve(t, signing(built))
		for path, contentType := range map[string]string{
			"/":                  "text/html; charset=utf-8",
			"/?user=a":           "text/html; charset=utf-8",
			"/assets/index-1.js": "text/javascript; charset=utf-8",
			"/assets/page-1.css": "text/css; charset=utf-8",
			"/assets/mark-1.svg": "image/svg+xml",
		} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				answer := s.ask(method, path, "")
				assert.Equal(t, http.StatusOK, answer.StatusCode, "%s %s", method, path)
				assert.Equal(t, contentType, answer.Header.Get("Content-Type"))
				assert.Equal(t, "nosniff", answer.Header.Get("X-Content-Type-Options"))
				assert.Equal(t, policy, answer.Header.Get("Content-Security-Policy"))
				assert.Equal(t, "no-referrer", answer.Header.Get("Referrer-Policy"))
				assert.Equal(t, method == http.MethodGet, text(t, answer) != "")
			}
		}
	})

	t.Run("other paths are not found", func(t *testing.T) {
		s := serve(t, signing(built))
		for _, path := range []string{
			"/nowhere", "/assets", "/assets/", "/assets/nowhere.js", "/../go.mod", "/..%2fgo.mod", "/assets/../../go.mod",
			"//evil.tld", "/%2e%2e/x", "/assets//index-1.js", "/.gitkeep", "/index.html/", "/\x00",
		} {
			request, err := http.NewRequest(http.MethodGet, "http://parley/", nil)
			require.NoError(t, err)
			request.URL.Path = path
			answer := s.do(request)
			assertProblem(t, answer, 404, `{"title":"Not Found","status":404}`)
			assert.Equal(t, "nosniff", answer.Header.Get("X-Content-Type-Options"))
		}
	})

	t.Run("a request without a path does not panic", func(t *testing.T) {
		s := serve(t, signing(built))
		request, err := http.NewRequest(http.MethodGet, "http://parley", nil) // GET http://parley HTTP/1.1
		require.NoError(t, err)
		require.Empty(t, request.URL.Path)
		assert.Equal(t, http.StatusNotFound, s.do(request).StatusCode)
		assert.Empty(t, s.logs.String())
	})

	t.Run("a page that was not built says so at / and nowhere else", func(t *testing.T) {
		s := serve(t, signing(fstest.MapFS{".gitkeep": {}}))
		answer := s.ask(http.MethodGet, "/", "")
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Equal(t, "text/plain; charset=UTF-8", answer.Header.Get("Content-Type"))
		assert.Contains(t, text(t, answer), "make run")
		assertProblem(t, s.ask(http.MethodGet, "/.gitkeep", ""), 404, `{"title":"Not Found","status":404}`)
		assertProblem(t, s.ask(http.MethodGet, "/x", ""), 404, `{"title":"Not Found","status":404}`)
	})

	t.Run("the page is the one in this binary unless another is given", func(t *testing.T) {
		answer := serve(t, &httpapi.Dev{}).ask(http.MethodGet, "/", "")
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		// The binary of this test holds a page or not, depending on whether it has been built.
		assert.Regexp(t, "<title>Parley</title>|make run", text(t, answer))
	})
}
