package httpapi_test

import (
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/adapters/httpapi"
	"parley/domain"
)

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
			for _, o := range backendOperations(t) {
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

	t.Run("without a backend, /v1/ is not found", func(t *testing.T) {
		for _, path := range []string{"/v1/", "/v1/sessions", "/v1/conversations"} {
			assertProblem(t, serve(t, nil).ask(http.MethodGet, path, "", "Authorization: Bearer service"), 404, `{"title":"Not Found","status":404}`)
		}
	})

	t.Run("pages get no CORS headers from /v1/, and their preflights no permission", func(t *testing.T) {
		s := backends(t) // which allows all origins elsewhere
		s.answerAll(nil)
		for _, o := range backendOperations(t) {
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
}

func TestBackend_ids(t *testing.T) {
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
					continue // the server makes these ids
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
}

func TestBackend_refuses_unknown_parameters(t *testing.T) {
	for _, o := range backendOperations(t) {
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
}
