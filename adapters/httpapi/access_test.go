package httpapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/domain"
)

// TestBackend_access makes the requests of the document, for every route, without the right to.
func TestBackend_access(t *testing.T) {
	// refusal is an answer; challenge is its WWW-Authenticate header.
	type refusal struct {
		status            int
		code              domain.Code
		detail, challenge string
	}
	missing := refusal{
		401, domain.CodeUnauthorized,
		"a service token is missing: send it as Authorization: Bearer", `Bearer realm="parley"`,
	}
	invalid := refusal{
		401, domain.CodeUnauthorized, "the token is not valid", `Bearer realm="parley", error="invalid_token"`,
	}
	expired := refusal{
		401, domain.CodeTokenExpired, "the token has expired", `Bearer realm="parley", error="invalid_token"`,
	}
	notAService := refusal{
		403, domain.CodeForbidden, "the token is not of a service: its scope must contain service",
		`Bearer realm="parley", error="insufficient_scope", scope="service"`,
	}
	unverifiable := refusal{503, domain.CodeUnavailable, "the keys cannot be had", ""}
	for _, o := range backendOperations(t) {
		for name, test := range map[string]struct {
			header []string
			query  string
			want   refusal
		}{
			"no token":              {[]string{"Authorization:"}, "", missing},
			"a token in the query":  {[]string{"Authorization:"}, "?access_token=service&token=service", missing},
			"a token in a cookie":   {[]string{"Authorization:", "Cookie: token=service"}, "", missing},
			"another scheme":        {[]string{"Authorization: Basic service"}, "", missing},
			"a scheme alone":        {[]string{"Authorization: Bearer"}, "", missing},
			"a bad token":           {[]string{"Authorization: Bearer nonsense"}, "", invalid},
			"two tokens":            {[]string{"Authorization: Bearer service, Bearer user"}, "", invalid},
			"an expired token":      {[]string{"Authorization: Bearer expired"}, "", expired},
			"a user's token":        {[]string{"Authorization: Bearer user"}, "", notAService},
			"an unverifiable token": {[]string{"Authorization: Bearer unverifiable"}, "", unverifiable},
		} {
			t.Run(o.String()+" with "+name+" is refused", func(t *testing.T) {
				s := backends(t) // its application must not be asked
				for _, body := range o.bodies(t) {
					answer := s.send(exchange{method: o.method, target: o.target() + test.query, body: body, header: test.header})
					assertRefused(t, answer, test.want.status, test.want.code, test.want.detail)
					assert.Equal(t, test.want.challenge, answer.header.Get("WWW-Authenticate"))
					assert.Equal(t, "no-store", answer.header.Get("Cache-Control"))
				}
			})
		}
		t.Run(o.String()+" with its scheme in another case is answered", func(t *testing.T) {
			s := backends(t)
			s.answerAll(nil)
			for _, body := range o.bodies(t) {
				answer := s.send(exchange{method: o.method, target: o.target(), body: body, header: []string{"Authorization: bEARER  service"}})
				assert.Less(t, answer.status, 300)
				assert.Equal(t, "no-store", answer.header.Get("Cache-Control"))
			}
		})
	}

	t.Run("a request with two Authorization headers is refused", func(t *testing.T) {
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
