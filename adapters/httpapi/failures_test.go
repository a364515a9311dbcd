package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/domain"
)

// TestBackend_failures has the application fail in every way, on every route.
func TestBackend_failures(t *testing.T) {
	for _, o := range backendOperations(t) {
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

	t.Run("a client that does not wait for the answer is no fault of the server", func(t *testing.T) {
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
