package domain

import (
	"errors"
	"fmt"
	"time"
)

// Code says what kind of refusal an error is. Codes are part of the wire contract.
type Code string

// The codes of the wire contract.
const (
	CodeUnauthorized      Code = "UNAUTHORIZED"
	CodeTokenExpired      Code = "TOKEN_EXPIRED"
	CodeForbidden         Code = "FORBIDDEN"
	CodeNotInConversation Code = "NOT_IN_CONVERSATION"
	CodeInvalidPayload    Code = "INVALID_PAYLOAD"
	CodePayloadTooLarge   Code = "PAYLOAD_TOO_LARGE"
	CodeRateLimited       Code = "RATE_LIMITED"
	CodeLimitExceeded     Code = "LIMIT_EXCEEDED"
	CodeDraining          Code = "DRAINING"
	CodeUnavailable       Code = "UNAVAILABLE"
	CodeInternal          Code = "INTERNAL"
)

// Further codes, which only backends are told.
const (
	// CodeNotFound: what the request names does not exist.
	CodeNotFound Code = "NOT_FOUND"
	// CodeConflict: what the request names is not in the state that the request assumes.
	CodeConflict Code = "CONFLICT"
)

// Codes returns every code, so that tests can check that a transport translates all of them.
func Codes() []Code {
	return []Code{
		CodeUnauthorized, CodeTokenExpired, CodeForbidden, CodeNotInConversation, CodeInvalidPayload,
		CodePayloadTooLarge, CodeRateLimited, CodeLimitExceeded, CodeDraining, CodeUnavailable, CodeInternal,
		CodeNotFound, CodeConflict,
	}
}

// Error is a refusal that may be shown to a client: its message contains no secrets and no internals.
type Error struct {
	Code    Code
	Message string
	// RetryAfter is how long the client should wait before it tries again; 0 means unknown.
	RetryAfter time.Duration
}

// Error returns the message after its code.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Errorf returns an *Error with the formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// AsError returns the *Error in err's chain. Anything else becomes a CodeInternal error with a fixed
// text, so that internals never reach a client.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: CodeInternal, Message: "internal error"}
}
