package socketio

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio"
	"parley/domain"
)

// Failure is a refusal as clients see it.
type Failure struct {
	Code         domain.Code `json:"code"`
	Message      string      `json:"message"`
	RetryAfterMs int64       `json:"retryAfterMs,omitempty"`
}

// failureAck answers an event that asked for an ack.
type failureAck struct {
	OK    bool    `json:"ok"`
	Error Failure `json:"error"`
}

// failureEvent is the `error` event. Event is the event that failed and asked for no ack; "" if it was none.
type failureEvent struct {
	Event string `json:"event"`
	Failure
}

// NewFailure returns what clients may know of an error.
func NewFailure(err error) Failure {
	e := domain.AsError(err)
	// Rounded up, because a client that retries a moment too early is refused again.
	wait := (e.RetryAfter + time.Millisecond - 1).Milliseconds()
	return Failure{Code: e.Code, Message: e.Message, RetryAfterMs: wait}
}

// connectError refuses a CONNECT: the client's `connect_error` has the message and data.code.
func connectError(err error) error {
	f := NewFailure(err)
	return &sio.ConnectError{Message: f.Message, Data: struct {
		Code         domain.Code `json:"code"`
		RetryAfterMs int64       `json:"retryAfterMs,omitempty"`
	}{f.Code, f.RetryAfterMs}}
}

// handshakeStatus maps the codes that can refuse a handshake; any other code is an internal error.
var handshakeStatus = map[domain.Code]int{
	domain.CodeUnauthorized: http.StatusUnauthorized,
	domain.CodeTokenExpired: http.StatusUnauthorized,
	domain.CodeForbidden:    http.StatusForbidden,
	domain.CodeRateLimited:  http.StatusTooManyRequests,
	domain.CodeDraining:     http.StatusServiceUnavailable,
	domain.CodeUnavailable:  http.StatusServiceUnavailable,
}

// HandshakeRefusal refuses a handshake with an HTTP status, before anything is opened. Its code 4 is the
// reference server's for "Forbidden".
func HandshakeRefusal(err error) *engineio.Refusal {
	f := NewFailure(err)
	status, ok := handshakeStatus[f.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	return &engineio.Refusal{Status: status, Code: 4, Message: f.Message}
}

// errBinary refuses binary data: no event of the contract takes any.
var errBinary = errors.New("socketio: binary data")

// payloadError turns a decoding error into one that says what the client did wrong.
func payloadError(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return domain.Errorf(domain.CodeInvalidPayload, "%s must %s", e.Field, complaint(e.Value))
	}
	if errors.Is(err, errBinary) {
		return domain.Errorf(domain.CodeInvalidPayload, "this event takes no binary data")
	}
	return domain.Errorf(domain.CodeInvalidPayload, "the payload is not what this event takes")
}

// complaint says what is wrong with a JSON value of the wrong type, as encoding/json describes it. Its
// description of a number that does not fit contains the whole number, which may be as long as the client likes,
// and is not repeated. All numbers of the contract are counts.
func complaint(value string) string {
	if strings.HasPrefix(value, "number ") {
		return "be a whole number, 0 or more"
	}
	switch value {
	case "bool":
		return "not be a boolean"
	case "array", "object":
		return "not be an " + value
	}
	return "not be a " + value
}
