package httpapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/domain"
	"parley/ports"
)

func TestSessions(t *testing.T) {
	one := ports.Session{
		ID: "s-1_A", User: "ann", ConnectedAt: noon, LastActivity: noon.Add(time.Second), ExpiresAt: noon.Add(time.Hour),
		Conversations: []domain.ConversationID{"a", "b"},
	}
	idle := ports.Session{ID: "s2", User: "ann", ConnectedAt: noon, LastActivity: noon, ExpiresAt: noon}
	const first = `{"sessionId":"s-1_A","userId":"ann","connectedAt":"2026-03-01T12:00:00.005Z","lastActivity":"2026-03-01T12:00:01.005Z",` +
		`"expiresAt":"2026-03-01T13:00:00.005Z","conversations":["a","b"]}`
	const second = `{"sessionId":"s2","userId":"ann","connectedAt":"2026-03-01T12:00:00.005Z","lastActivity":"2026-03-01T12:00:00.005Z",` +
		`"expiresAt":"2026-03-01T12:00:00.005Z","conversations":[]}`
	for query, test := range map[string]struct {
		user  domain.UserID
		after domain.SessionID
		asked int
		found []ports.Session
		want  string
	}{
		"":                         {"", "", 101, nil, `{"sessions":[]}`},
		"?limit=100":               {"", "", 101, []ports.Session{one, idle}, `{"sessions":[` + first + `,` + second + `]}`},
		"?userId=ann&limit=1":      {"ann", "", 2, []ports.Session{one, idle}, `{"sessions":[` + first + `],"next":"s-1_A"}`},
		"?after=s-1_A&userId=a%40": {"a@", "s-1_A", 101, []ports.Session{idle}, `{"sessions":[` + second + `]}`},
	} {
		t.Run("the query "+query+" is answered with its page", func(t *testing.T) {
			s := backends(t)
			s.app.EXPECT().OpenSessions(ctx, test.user, test.after, test.asked).Return(test.found, nil)
			answer := s.get("/v1/sessions" + query)
			assert.Equal(t, 200, answer.status)
			assert.Equal(t, test.want, answer.body)
		})
	}
	for query, detail := range map[string]string{
		"userId=a+b":                        "userId may hold only letters, digits and ._:-@",
		"userid=ann":                        `the query parameter "userid" is not known here`,
		"limit=many":                        "limit must be a whole number from 1 to 1000",
		"after=" + strings.Repeat("x", 129): "after must be an id: the next of the page before",
	} {
		t.Run("the query "+query+" is refused", func(t *testing.T) {
			assertRefused(t, backends(t).get("/v1/sessions?"+query), 400, domain.CodeInvalidPayload, detail)
		})
	}
}

func TestEndSession(t *testing.T) {
	end := func(s *backendSite, id string) reply {
		return s.send(exchange{method: "DELETE", target: "/v1/sessions/" + id})
	}
	t.Run("a session that is open is ended", func(t *testing.T) {
		s := backends(t)
		s.app.EXPECT().EndSession(ctx, domain.SessionID("s-1_A")).Return(nil)
		assert.Equal(t, 204, end(s, "s-1_A").status)
	})
	t.Run("a session that is not open is not found", func(t *testing.T) {
		s := backends(t)
		s.app.EXPECT().EndSession(ctx, domain.SessionID("s-1_A")).Return(domain.Errorf(domain.CodeNotFound, "there is no such session"))
		assertRefused(t, end(s, "s-1_A"), 404, domain.CodeNotFound, "there is no such session")
		assertRefused(t, end(s, strings.Repeat("x", 129)), 404, domain.CodeNotFound, "there is no such session")
	})
}

func TestEndSessions(t *testing.T) {
	for n, want := range map[int]string{0: `{"ended":0}`, 3: `{"ended":3}`} {
		s := backends(t)
		s.app.EXPECT().EndSessions(ctx, domain.UserID("ann@example")).Return(n, nil)
		answer := s.send(exchange{method: "DELETE", target: "/v1/users/ann%40example/sessions"})
		assert.Equal(t, 200, answer.status)
		assert.Equal(t, want, answer.body)
	}
}
