package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/httpapi"
	"parley/domain"
)

// Every route is asked, as the document describes it, by those that may not.
func TestBackend_access(t *testing.T) {
	for _, o := range document().operations {
		if !o.backendsOnly() {
			continue
		}
		for name, test := range map[string]struct {
			header       []string
			query        string
			status       int
			code         domain.Code
			detail, want string
		}{
			"no token": {
				[]string{"Authorization:"},
				"", 401, domain.CodeUnauthorized,
				"a service token is missing: send it as Authorization: Bearer", `Bearer realm="parley"`,
			},
			"a token in the query": {
				[]string{"Authorization:"},
				"?access_token=service&token=service", 401, domain.CodeUnauthorized,
				"a service token is missing: send it as Authorization: Bearer", `Bearer realm="parley"`,
			},
			"a token in a cookie": {
				[]string{"Authorization:", "Cookie: token=service"},
				"", 401, domain.CodeUnauthorized,
				"a service token is missing: send it as Authorization: Bearer", `Bearer realm="parley"`,
			},
			"another scheme": {
				[]string{"Authorization: Basic service"},
				"", 401, domain.CodeUnauthorized,
				"a service token is missing: send it as Authorization: Bearer", `Bearer realm="parley"`,
			},
			"a scheme alone": {
				[]string{"Authorization: Bearer"},
				"", 401, domain.CodeUnauthorized,
				"a service token is missing: send it as Authorization: Bearer", `Bearer realm="parley"`,
			},
			"a bad token": {
				[]string{"Authorization: Bearer nonsense"},
				"", 401, domain.CodeUnauthorized,
				"the token is not valid", `Bearer realm="parley", error="invalid_token"`,
			},
			"two tokens": {
				[]string{"Authorization: Bearer service, Bearer user"},
				"", 401, domain.CodeUnauthorized,
				"the token is not valid", `Bearer realm="parley", error="invalid_token"`,
			},
			"an expired token": {
				[]string{"Authorization: Bearer expired"},
				"", 401, domain.CodeTokenExpired,
				"the token has expired", `Bearer realm="parley", error="invalid_token"`,
			},
			"a user's token": {
				[]string{"Authorization: Bearer user"},
				"", 403, domain.CodeForbidden,
				"the token is not of a service: its scope must contain service",
				`Bearer realm="parley", error="insufficient_scope", scope="service"`,
			},
			"a token that nobody can verify now": {
				[]string{"Authorization: Bearer unverifiable"}, "", 503, domain.CodeUnavailable, "the keys cannot be had", "",
			},
		} {
			t.Run(o.String()+" with "+name, func(t *testing.T) {
				s := backends(t) // whose application is not asked
				for _, body := range o.bodies(t) {
					answer := s.send(exchange{method: o.method, target: o.target() + test.query, body: body, header: test.header})
					assertRefused(t, answer, test.status, test.code, test.detail)
					assert.Equal(t, test.want, answer.header.Get("WWW-Authenticate"))
					assert.Equal(t, "no-store", answer.header.Get("Cache-Control"))
				}
			})
		}
		t.Run(o.String()+" with its scheme in other case", func(t *testing.T) {
			s := backends(t)
			s.answerAll(nil)
			for _, body := range o.bodies(t) {
				answer := s.send(exchange{method: o.method, target: o.target(), body: body, header: []string{"Authorization: bEARER  service"}})
				assert.Less(t, answer.status, 300)
				assert.Equal(t, "no-store", answer.header.Get("Cache-Control"))
			}
		})
	}

	t.Run("two headers are one too many", func(t *testing.T) {
		s := backends(t)
		request := httptest.NewRequest(http.MethodGet, "/v1/sessions", nil)
		request.Header["Authorization"] = []string{"Bearer user", "Bearer service"}
		answer := httptest.NewRecorder()
		s.api.ServeHTTP(answer, request)
		assert.Equal(t, http.StatusUnauthorized, answer.Code)
	})

	t.Run("a stranger's body is not read", func(t *testing.T) {
		s := backends(t)
		request := httptest.NewRequest(http.MethodPost, "/v1/conversations/c/messages", unread{t})
		answer := httptest.NewRecorder()
		s.api.ServeHTTP(answer, request)
		assert.Equal(t, http.StatusUnauthorized, answer.Code)
	})
}

// unread fails the test when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// Every route, whatever the application fails with.
func TestBackend_failures(t *testing.T) {
	for _, o := range document().operations {
		if !o.backendsOnly() {
			continue
		}
		each := func(t *testing.T, err error, check func(s *backendSite, answer reply)) {
			for _, body := range o.bodies(t) {
				s := backends(t)
				s.answerAll(err)
				check(s, s.send(exchange{method: o.method, target: o.target(), body: body}))
			}
		}
		t.Run(o.String()+" says when it cannot answer", func(t *testing.T) {
			each(t, errDown, func(s *backendSite, answer reply) {
				assertRefused(t, answer, 503, domain.CodeUnavailable, "the log cannot be reached")
				assert.Empty(t, answer.header.Get("Retry-After"))
				assert.Equal(t, 1, strings.Count(s.logs.String(), "level=ERROR"))
			})
		})
		t.Run(o.String()+" says when to come again", func(t *testing.T) {
			err := &domain.Error{Code: domain.CodeUnavailable, Message: "busy", RetryAfter: 1500*time.Millisecond + 1}
			each(t, fmt.Errorf("wrapped: %w", err), func(_ *backendSite, answer reply) {
				assert.Equal(t, 503, answer.status)
				assert.Equal(t, `{"title":"Service Unavailable","status":503,"detail":"busy","code":"UNAVAILABLE","retryAfterMs":1501}`, answer.body)
				assert.Equal(t, "2", answer.header.Get("Retry-After"))
			})
		})
		t.Run(o.String()+" says that it drains, which is no fault", func(t *testing.T) {
			each(t, domain.Errorf(domain.CodeDraining, "restarting"), func(s *backendSite, answer reply) {
				assert.Equal(t, 503, answer.status)
				assert.Equal(t, `{"title":"Service Unavailable","status":503,"detail":"restarting","code":"DRAINING","retryAfterMs":1000}`, answer.body)
				assert.Equal(t, "1", answer.header.Get("Retry-After"))
				assert.Empty(t, s.logs.String())
			})
		})
		t.Run(o.String()+" keeps the reasons of faults to itself", func(t *testing.T) {
			each(t, errBug, func(s *backendSite, answer reply) {
				assertRefused(t, answer, 500, domain.CodeInternal, "internal error")
				assert.Contains(t, s.logs.String(), "hunter2")
			})
		})
	}

	t.Run("who does not wait for the answer is no fault", func(t *testing.T) {
		s := backends(t)
		s.answerAll(context.Canceled)
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		request := httptest.NewRequest(http.MethodGet, "/v1/sessions", nil).WithContext(gone)
		request.Header.Set("Authorization", "Bearer service")
		s.api.ServeHTTP(httptest.NewRecorder(), request)
		assert.Empty(t, s.logs.String())
	})
}

func TestBackend_routing(t *testing.T) {
	devToo := func(t *testing.T) *backendSite {
		s := backends(t)
		api := httpapi.New(httpapi.Config{
			SocketIO: http.NotFoundHandler(), AllowOrigin: func(string) bool { return true },
			Backend: s.app, Authenticate: authenticate, Dev: signing(built),
		}, slog.New(slog.NewTextHandler(s.logs, nil)))
		s.server.Config.Handler = api
		return s
	}
	for mode, start := range map[string]func(*testing.T) *backendSite{"alone": backends, "in dev mode": devToo} {
		t.Run(mode+", a method that a route does not have is refused with those it has", func(t *testing.T) {
			s := start(t)
			for _, o := range document().operations {
				if !o.backendsOnly() {
					continue
				}
				var allowed []string
				for method := range o.route.PathItem.Operations() {
					allowed = append(allowed, method)
				}
				for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "BREW"} {
					if o.route.PathItem.GetOperation(method) != nil {
						continue
					}
					answer := s.send(exchange{method: method, target: o.target()})
					assert.Equal(t, http.StatusMethodNotAllowed, answer.status, "%s %s", method, o.path)
					for _, a := range allowed {
						assert.Contains(t, answer.header.Get("Allow"), a)
					}
					if method != http.MethodHead {
						assert.Equal(t, `{"title":"Method Not Allowed","status":405}`, answer.body)
					}
				}
			}
		})
		t.Run(mode+", what is not there is a problem, without a look at the token", func(t *testing.T) {
			s := start(t)
			for _, path := range []string{
				"/v1/", "/v1/nowhere", "/v1/conversations/", "/v1/conversations/c/nowhere", "/v1/sessions/a/b", "/v1//sessions",
				"/v1/conversations/c/messages/m/chunks/0", "/v1/users/u", "/v1/../healthz", "/v1/%2e%2e/healthz", "/%761/sessions",
			} {
				for _, header := range [][]string{nil, {"Authorization:"}} {
					for _, method := range []string{"GET", "DELETE"} {
						if path == "/v1/sessions/a/b" && (method == "GET" || header != nil) {
							continue // the route's last part takes it in: see below
						}
						answer := s.send(exchange{method: method, target: path, header: header})
						assert.Contains(t, []int{404, 405}, answer.status, "%s %s: %s", method, path, answer.body)
						assert.Equal(t, "application/problem+json", answer.header.Get("Content-Type"), path)
					}
				}
			}
			assert.Equal(t, 404, s.send(exchange{method: "DELETE", target: "/v1/sessions/a/b"}).status)
			assert.Equal(t, 404, s.send(exchange{method: "DELETE", target: "/v1/sessions/a/"}).status)
		})
	}

	t.Run("without a backend there is nothing", func(t *testing.T) {
		for _, path := range []string{"/v1/", "/v1/sessions", "/v1/conversations"} {
			assertProblem(t, serve(t, nil).ask(http.MethodGet, path, "", "Authorization: Bearer service"), 404, `{"title":"Not Found","status":404}`)
		}
	})

	t.Run("a page of any origin gets no CORS headers, nor a preflight that allows", func(t *testing.T) {
		s := backends(t) // which allows all origins elsewhere
		s.answerAll(nil)
		for _, o := range document().operations {
			if !o.backendsOnly() {
				continue
			}
			for _, method := range []string{o.method, http.MethodOptions} {
				for _, body := range o.bodies(t) {
					answer := s.send(exchange{method: method, target: o.target(), body: body, header: []string{
						"Origin: " + page, "Access-Control-Request-Method: " + o.method, "Access-Control-Request-Headers: authorization",
					}})
					for name := range answer.header {
						assert.NotContains(t, name, "Access-Control-", o)
					}
				}
			}
		}
	})

	t.Run("ids in a path are decoded once", func(t *testing.T) {
		for encoded, id := range map[string]domain.ConversationID{
			"room-7":          "room-7",
			"ann%40example":   "ann@example",
			"ann@example":     "ann@example",
			"tenant%3a42%2e7": "tenant:42.7",
			"%72oom":          "room",
			"..":              "..",
			"%2e%2E":          "..",
		} {
			s := backends(t)
			s.app.EXPECT().Members(ctx, id).Return(nil, nil)
			answer := s.get("/v1/conversations/" + encoded + "/members")
			assert.Equal(t, 200, answer.status, "%s: %s", encoded, answer.body)
		}
	})

	for _, path := range []string{"/members", "/messages"} {
		for encoded, detail := range map[string]string{
			"":                       "conversationId is missing",
			"a%2Fb":                  "conversationId may hold only letters, digits and ._:-@",
			"..%2f..%2fetc":          "conversationId may hold only letters, digits and ._:-@",
			"..%5c":                  "conversationId may hold only letters, digits and ._:-@",
			"a%2540b":                "conversationId may hold only letters, digits and ._:-@",
			"a%252Fb":                "conversationId may hold only letters, digits and ._:-@",
			"a%20b":                  "conversationId may hold only letters, digits and ._:-@",
			"a+b":                    "conversationId may hold only letters, digits and ._:-@",
			"a%00":                   "conversationId may hold only letters, digits and ._:-@",
			"a%0d%0aX-Y%3a%20z":      "conversationId may hold only letters, digits and ._:-@",
			"%ff":                    "conversationId may hold only letters, digits and ._:-@",
			"*":                      "conversationId may hold only letters, digits and ._:-@",
			"caf%C3%A9":              "conversationId may hold only letters, digits and ._:-@",
			strings.Repeat("x", 129): "conversationId is longer than 128 characters",
		} {
			t.Run("the id "+encoded+" is refused on "+path, func(t *testing.T) {
				assertRefused(t, backends(t).get("/v1/conversations/"+encoded+path), 400, domain.CodeInvalidPayload, detail)
			})
		}
	}

	t.Run("every route checks its ids", func(t *testing.T) {
		for _, o := range document().operations {
			for _, name := range o.names {
				if name == "sessionId" {
					continue // the server's own
				}
				for body := range maps.Values(o.bodies(t)) {
					target := strings.Replace(o.path, "{"+name+"}", "a%20b", 1)
					for _, other := range o.names {
						target = strings.Replace(target, "{"+other+"}", "good", 1)
					}
					answer := backends(t).send(exchange{method: o.method, target: target, body: body})
					assertRefused(t, answer, 400, domain.CodeInvalidPayload, name+" may hold only letters, digits and ._:-@")
				}
			}
		}
	})

	t.Run("every route refuses parameters that it does not know", func(t *testing.T) {
		for _, o := range document().operations {
			if !o.backendsOnly() {
				continue
			}
			for body := range maps.Values(o.bodies(t)) {
				s := backends(t)
				ask := func(query string) reply {
					return s.send(exchange{method: o.method, target: o.target() + query, body: body})
				}
				assertRefused(t, ask("?stream=true"), 400, domain.CodeInvalidPayload, `the query parameter "stream" is not known here`)
				assertRefused(t, ask("?Limit=3"), 400, domain.CodeInvalidPayload, `the query parameter "Limit" is not known here`)
				assertRefused(t, ask("?limit=%zz"), 400, domain.CodeInvalidPayload, "the query is not encoded well")
				assertRefused(t, ask("?a;b=1"), 400, domain.CodeInvalidPayload, "the query is not encoded well")
				for _, p := range o.route.Operation.Parameters {
					assertRefused(t, ask("?"+p.Value.Name+"="), 400, domain.CodeInvalidPayload, "the query parameter "+p.Value.Name+" is empty")
					assertRefused(t, ask("?"+p.Value.Name+"=1&"+p.Value.Name+"=2"), 400, domain.CodeInvalidPayload,
						"the query parameter "+p.Value.Name+" is there twice")
				}
			}
		}
	})
	require.NotEmpty(t, document().operations)
}
