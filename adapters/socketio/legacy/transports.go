package legacy

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/googollee/go-socket.io/engineio/transport"
	"github.com/googollee/go-socket.io/engineio/transport/websocket"

	"parley/adapters/socketio/engineio"
)

// sessionKey is the key of the session in a request's context. The library passes the request to the transports, which
// find the session by it.
type sessionKey struct{}

func withSession(r *http.Request, s *session) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), sessionKey{}, s))
}

func sessionOf(r *http.Request) *session { return r.Context().Value(sessionKey{}).(*session) }

var errNoClient = errors.New("legacy: the transports only accept")

// pollingTransport gives the library pollingConns.
type pollingTransport struct{}

// Name is the transport's name in the protocol.
func (pollingTransport) Name() string { return engineio.Polling }

// Accept returns the connection of a new session. It writes no response.
func (pollingTransport) Accept(_ http.ResponseWriter, r *http.Request) (transport.Conn, error) {
	return &pollingConn{session: sessionOf(r)}, nil
}

// Dial always fails: the library dials only as a client.
func (pollingTransport) Dial(*url.URL, http.Header) (transport.Conn, error) { return nil, errNoClient }

// websocketTransport gives the library sockets that wrap its own.
type websocketTransport struct{}

// Name is the transport's name in the protocol.
func (websocketTransport) Name() string { return engineio.WebSocket }

// Accept opens a WebSocket, of a new session or to take over from polling. If it fails, the request has been
// answered.
func (websocketTransport) Accept(w http.ResponseWriter, r *http.Request) (transport.Conn, error) {
	s := sessionOf(r)
	if offered, _, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ","); offered != "" {
		w.Header().Set("Sec-WebSocket-Protocol", strings.TrimSpace(offered)) // a client that offers any fails if none is chosen
	}
	// ServeHTTP has checked the origin.
	library := websocket.Transport{CheckOrigin: func(*http.Request) bool { return true }}
	opening := &hijacker{ResponseWriter: w}
	c, err := library.Accept(opening, r)
	if err != nil {
		s.upgradeFailed()
		return nil, err
	}
	return s.attach(c, opening.conn), nil
}

// hijacker remembers the connection that the library takes over and does not give out.
type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack takes the connection over (http.Hijacker).
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = conn
	return conn, buffered, err
}

// Dial always fails: the library dials only as a client.
func (websocketTransport) Dial(*url.URL, http.Header) (transport.Conn, error) {
	return nil, errNoClient
}

// randomIDs makes session ids: 144 random bits.
type randomIDs struct{}

// NewID returns 24 characters.
func (randomIDs) NewID() string {
	var b [18]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}
