package legacy

import (
	"net/http"

	"parley/adapters/socketio/engineio"
)

// The refusals of requests, in the reference server's words.
var (
	errUnknownTransport = &engineio.Refusal{Status: http.StatusBadRequest, Code: 0, Message: "Transport unknown"}
	errUnknownSession   = &engineio.Refusal{Status: http.StatusBadRequest, Code: 1, Message: "Session ID unknown"}
	errHandshakeMethod  = &engineio.Refusal{Status: http.StatusBadRequest, Code: 2, Message: "Bad handshake method"}
	errBadRequest       = &engineio.Refusal{Status: http.StatusBadRequest, Code: 3, Message: "Bad request"}
	errClosing          = &engineio.Refusal{Status: http.StatusServiceUnavailable, Code: 3, Message: "Server is shutting down"}
)
