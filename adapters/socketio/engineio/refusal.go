package engineio

import (
	"encoding/json"
	"errors"
	"net/http"
)

// Refusal is the answer to a request that the server refuses. The codes and messages are the reference server's where
// it has the error: [protocol] does not define them, but clients show them.
type Refusal struct {
	// Status is the HTTP status.
	Status int `json:"-"`
	// Code is the reference server's number of the error.
	Code    int    `json:"code"`
	Message string `json:"message"`
}

var (
	errUnknownTransport = &Refusal{http.StatusBadRequest, 0, "Transport unknown"}
	errUnknownSession   = &Refusal{http.StatusBadRequest, 1, "Session ID unknown"}
	errHandshakeMethod  = &Refusal{http.StatusBadRequest, 2, "Bad handshake method"}
	errBadRequest       = &Refusal{http.StatusBadRequest, 3, "Bad request"}
	errForbidden        = &Refusal{http.StatusForbidden, 4, "Forbidden"}
	errProtocolVersion  = &Refusal{http.StatusBadRequest, 5, "Unsupported protocol version"}
	errClosing          = &Refusal{http.StatusServiceUnavailable, 3, "Server is shutting down"}
)

// Error returns the message.
func (e *Refusal) Error() string { return e.Message }

// ServeHTTP answers a request with the refusal, for handlers that serve beside a Server.
func (e *Refusal) ServeHTTP(w http.ResponseWriter, _ *http.Request) { e.write(w) }

func (e *Refusal) write(w http.ResponseWriter) {
	body, err := json.Marshal(e)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(body) // the client may be gone
}

// refusalOf returns the *Refusal in err's chain, or otherwise if there is none.
func refusalOf(err error, otherwise *Refusal) *Refusal {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	return otherwise
}
