package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"parley/domain"
	"parley/ports"
)

// backendPath is the root of all routes for backends.
const backendPath = "/v1/"

// DefaultMaxBody is the bound of a body in bytes, unless Config sets another. It is the same as for a Socket.IO packet.
const DefaultMaxBody = 1_000_000

// backend is the API for the platform's own servers. It is documented in docs/openapi.yaml.
type backend struct {
	app          ports.Backend
	authenticate func(ctx context.Context, token string) (domain.Identity, error)
	maxBody      int64
}

func newBackend(config Config) *backend {
	b := &backend{app: config.Backend, authenticate: config.Authenticate, maxBody: int64(config.MaxBody)}
	if b.maxBody <= 0 {
		b.maxBody = DefaultMaxBody
	}
	return b
}

func (b *backend) routes(e *echo.Echo) {
	for _, r := range []struct {
		method, path string
		handle       echo.HandlerFunc
		query        []string // the parameters that the route knows
	}{
		{http.MethodGet, "conversations", b.conversations, []string{"after", "limit"}},
		{http.MethodPatch, "conversations/:conversationId", b.update, nil},
		{http.MethodPost, "conversations/:conversationId/events", b.announce, nil},
		{http.MethodGet, "conversations/:conversationId/members", b.members, nil},
		{http.MethodGet, "conversations/:conversationId/messages", b.messages, []string{"before", "after", "limit"}},
		{http.MethodPost, "conversations/:conversationId/messages", b.publish, nil},
		{http.MethodDelete, "conversations/:conversationId/messages/:messageId", b.abort, nil},
		{http.MethodPost, "conversations/:conversationId/messages/:messageId/chunks", b.chunk, nil},
		{http.MethodGet, "sessions", b.sessions, []string{"userId", "after", "limit"}},
		{http.MethodDelete, "sessions/:sessionId", b.endSession, nil},
		{http.MethodDelete, "users/:userId/sessions", b.endSessions, nil},
	} {
		e.Add(r.method, backendPath+r.path, r.handle, bodyDeadline, b.admit, knownQuery(r.query))
	}
}

// serviceKey is the context key under which admit leaves the backend's user id.
const serviceKey = "service"

// service returns the user that the token speaks for.
func service(c echo.Context) domain.UserID { return c.Get(serviceKey).(domain.UserID) }

// admit lets in only requests with a service token, which must be in the header (RFC 6750, section 2.1). It comes
// before every other check of the request.
func (b *backend) admit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Cache-Control", "no-store")
		token, ok := bearer(c.Request().Header)
		if !ok {
			h.Set("WWW-Authenticate", `Bearer realm="parley"`)
			return domain.Errorf(domain.CodeUnauthorized, "a service token is missing: send it as Authorization: Bearer")
		}
		who, err := b.authenticate(c.Request().Context(), token)
		if err != nil {
			if newProblem(err).Status == http.StatusUnauthorized {
				h.Set("WWW-Authenticate", `Bearer realm="parley", error="invalid_token"`)
			}
			return err
		}
		if !who.Service {
			h.Set("WWW-Authenticate", `Bearer realm="parley", error="insufficient_scope", scope="service"`)
			return domain.Errorf(domain.CodeForbidden, "the token is not of a service: its scope must contain service")
		}
		c.Set(serviceKey, who.User)
		return next(c)
	}
}

// bearer returns the token of the one Authorization header.
func bearer(h http.Header) (token string, ok bool) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	return token, token != "" && strings.EqualFold(scheme, "Bearer")
}

// pathParam returns a part of the path, decoded exactly once. Echo matches the path as it was sent if net/http keeps
// that, in RawPath, because it is encoded in an unusual way; otherwise it matches the decoded path.
func pathParam(c echo.Context, name string) (string, error) {
	value := c.Param(name)
	if strings.Contains(value, "/") {
		return "", echo.ErrNotFound // the last part of a route takes in all that follows
	}
	if c.Request().URL.RawPath == "" {
		return value, nil
	}
	decoded, err := url.PathUnescape(value)
	if err != nil {
		return "", domain.Errorf(domain.CodeInvalidPayload, "%s is not encoded well", name)
	}
	return decoded, nil
}

func pathConversation(c echo.Context) (domain.ConversationID, error) {
	id, err := pathParam(c, "conversationId")
	if err != nil {
		return "", err
	}
	return domain.ParseConversationID(id)
}

func pathMessage(c echo.Context) (domain.ConversationID, domain.MessageID, error) {
	conversation, err := pathConversation(c)
	if err != nil {
		return "", "", err
	}
	id, err := pathParam(c, "messageId")
	if err != nil {
		return "", "", err
	}
	message, err := domain.ParseMessageID(id)
	return conversation, message, err
}

// timestamp is ISO 8601 in UTC with milliseconds, as JavaScript's Date.toISOString writes it.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
