package httpapi

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"parley/domain"
)

// problem is an error as clients see it: problem details (RFC 9457), with the code of the contract.
type problem struct {
	Title  string      `json:"title"`
	Status int         `json:"status"`
	Detail string      `json:"detail,omitempty"`
	Code   domain.Code `json:"code,omitempty"`
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
}

// newProblem translates an error: of Echo, of the domain, or any other, which says nothing to clients.
func newProblem(err error) problem {
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		return problem{Title: http.StatusText(he.Code), Status: he.Code}
	}
	e := domain.AsError(err)
	status, ok := statuses[e.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	return problem{Title: http.StatusText(status), Status: status, Detail: e.Message, Code: e.Code}
}

// panicked is what a handler panicked with. It hides the value from newProblem, whatever it is.
type panicked struct {
	value error
	stack []byte
}

func (p *panicked) Error() string { return "panic: " + p.value.Error() }

// problems is where every failed request ends, and where the server's own faults are logged.
func problems(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		p := newProblem(err)
		if p.Status >= http.StatusInternalServerError {
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
		_ = c.Blob(p.Status, "application/problem+json", body) // the client may be gone
	}
}
