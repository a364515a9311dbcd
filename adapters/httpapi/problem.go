package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"parley/domain"
)

// problem is an error as clients see it: problem details (RFC 9457), with the code of the contract. A problem without a
// code is one of HTTP itself: there is no such route, or not with that method.
type problem struct {
	Title        string      `json:"title"`
	Status       int         `json:"status"`
	Detail       string      `json:"detail,omitempty"`
	Code         domain.Code `json:"code,omitempty"`
	RetryAfterMs int64       `json:"retryAfterMs,omitempty"`
}

// statuses maps every code of the contract to an HTTP status.
var statuses = map[domain.Code]int{
	domain.CodeUnauthorized:      http.StatusUnauthorized,
	domain.CodeTokenExpired:      http.StatusUnauthorized,
	domain.CodeForbidden:         http.StatusForbidden,
	domain.CodeNotInConversation: http.StatusForbidden,
	domain.CodeInvalidPayload:    http.StatusBadRequest,
	domain.CodePayloadTooLarge:   http.StatusRequestEntityTooLarge,
	domain.CodeRateLimited:       http.StatusTooManyRequests,
	domain.CodeLimitExceeded:     http.StatusConflict,
	domain.CodeDraining:          http.StatusServiceUnavailable,
	domain.CodeUnavailable:       http.StatusServiceUnavailable,
	domain.CodeInternal:          http.StatusInternalServerError,
	domain.CodeNotFound:          http.StatusNotFound,
	domain.CodeConflict:          http.StatusConflict,
}

// drainPause is how long a client waits for another server to take over, if the error does not say.
const drainPause = time.Second

// refused is an error with a status of its own, where HTTP distinguishes more than the codes do.
type refused struct {
	error
	status int
}

func (r *refused) Unwrap() error { return r.error }

// newProblem translates an error of Echo or of the domain. Clients are told nothing of any other error.
func newProblem(err error) problem {
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		return problem{Title: http.StatusText(he.Code), Status: he.Code}
	}
	e := domain.AsError(err)
	status, ok := statuses[e.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	if r, ok := errors.AsType[*refused](err); ok {
		status = r.status
	}
	pause := e.RetryAfter
	if pause == 0 && e.Code == domain.CodeDraining {
		pause = drainPause
	}
	return problem{
		Title: http.StatusText(status), Status: status, Detail: e.Message, Code: e.Code,
		// It is rounded up, because a client that comes back a moment too early is refused again.
		RetryAfterMs: (pause + time.Millisecond - 1).Milliseconds(),
	}
}

// gone reports whether the client did not wait for the answer.
func gone(c echo.Context, err error) bool {
	return errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil
}

// panicked is the error for a handler that panicked. It does not unwrap, so that newProblem never shows the value.
type panicked struct {
	value error
	stack []byte
}

func (p *panicked) Error() string { return "panic: " + p.value.Error() }

// problems answers every request that failed, and logs those that are the server's own fault.
func problems(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		p := newProblem(err)
		// Draining is not a fault, and the operators know of it.
		if p.Status >= http.StatusInternalServerError && p.Code != domain.CodeDraining && !gone(c, err) {
			attributes := []any{"method", c.Request().Method, "path", c.Path(), "error", err}
			if bad, ok := errors.AsType[*panicked](err); ok {
				attributes = append(attributes, "stack", string(bad.stack))
			}
			log.Error("request failed", attributes...)
		}
		if c.Response().Committed {
			return
		}
		body, err := json.Marshal(p)
		if err != nil {
			log.Error("problem not encoded", "error", err)
			return
		}
		if p.RetryAfterMs > 0 {
			c.Response().Header().Set("Retry-After", strconv.FormatInt((p.RetryAfterMs+999)/1000, 10))
		}
		_ = c.Blob(p.Status, "application/problem+json", body) // the client may be gone
	}
}
