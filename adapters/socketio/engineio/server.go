package engineio

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/adapters/socketio/engineio/netpoll"
)

// Accept is called for each new session, before anything else happens on it, and returns the receiver of its messages.
// Returning nil refuses the session. The handshake is valid only during the call.
type Accept func(*Session, *Handshake) Receiver

// Handshake is the request that opened a session.
type Handshake struct {
	Request *http.Request
	// Query is that of Request.URL.
	Query url.Values
	// Value is what Config.Authorize returned.
	Value any
}

// Server is an http.Handler that serves Engine.IO on whatever path it is mounted.
type Server struct {
	config  Config
	accept  Accept
	started time.Time

	sessions registry
	flusher  flusher
	poller   netpoll.Poller
	// running counts the sessions that are not over and the goroutines that serve them; Shutdown waits for it. It grows
	// only while it counts something, or before the registry is closed.
	running sync.WaitGroup
}

// NewServer returns a server that gives new sessions to accept.
func NewServer(config Config, accept Accept) *Server {
	return &Server{config: config.withDefaults(), accept: accept, started: time.Now()}
}

// Len returns the number of open sessions.
func (srv *Server) Len() int { return srv.sessions.len() }

// ServeHTTP serves every request of the protocol. The checks are made in the reference server's order.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	limitBody(w, r)
	if !AdmitOrigin(w, r, srv.config.AllowOrigin) {
		return
	}
	query := r.URL.Query()
	transport := query.Get("transport")
	if !slices.Contains(srv.config.Transports, transport) {
		errUnknownTransport.write(w)
		return
	}
	upgrade := strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	if sid := query.Get("sid"); sid != "" {
		srv.serveSession(w, r, sid, transport, upgrade)
		return
	}
	srv.serveHandshake(w, r, query, transport, upgrade)
}

func (srv *Server) serveSession(w http.ResponseWriter, r *http.Request, sid, transport string, upgrade bool) {
	s := srv.sessions.get(sid)
	switch {
	case s == nil:
		errUnknownSession.write(w)
	case transport == WebSocket && upgrade && !srv.config.NoUpgrade:
		srv.serveUpgrade(w, r, s)
	case transport == WebSocket || upgrade:
		errBadRequest.write(w)
	case r.Method == http.MethodGet:
		s.servePoll(w, r)
	case r.Method == http.MethodPost:
		s.servePost(w, r)
	default:
		w.WriteHeader(http.StatusInternalServerError) // as by the reference server
	}
}

// serveHandshake opens a session.
func (srv *Server) serveHandshake(w http.ResponseWriter, r *http.Request, query url.Values, transport string, upgrade bool) {
	switch {
	case r.Method != http.MethodGet:
		errHandshakeMethod.write(w)
		return
	case (transport == WebSocket) != upgrade:
		errBadRequest.write(w)
		return
	case query.Get("EIO") != "4":
		errProtocolVersion.write(w)
		return
	case srv.sessions.isClosed():
		errClosing.write(w)
		return
	}
	h := &Handshake{Request: r, Query: query}
	if srv.config.Authorize != nil {
		var err error
		if h.Value, err = srv.config.Authorize(r); err != nil {
			refusalOf(err, errForbidden).write(w)
			return
		}
	}
	// The id is needed before the connection is taken over: after that a refusal could no longer be sent.
	id, err := srv.config.GenerateID(r)
	if err != nil || id == "" {
		refusalOf(err, errBadRequest).write(w)
		return
	}
	if transport == WebSocket {
		srv.serveWebSocket(w, h, id)
		return
	}
	s, err := srv.open(h, id, nil, nil)
	if err != nil {
		refusalOf(err, errForbidden).write(w)
		return
	}
	s.servePoll(w, r)
}

// open makes a session on the socket, or on polling if that is nil, and introduces it to accept. Nothing is sent before
// accept has returned; then the answer to the WebSocket's handshake, unless it is nil, and the open packet leave
// together.
func (srv *Server) open(h *Handshake, id string, ws *socket, answer *Packet) (*Session, error) {
	s := &Session{server: srv, id: id, ws: ws}
	s.inbound.Lock()
	defer s.inbound.Unlock()
	if refusal := srv.sessions.add(s, &srv.running); refusal != nil {
		return nil, refusal
	}
	s.mu.Lock()
	s.heartbeat.set(s, srv.config.PingInterval)
	s.mu.Unlock()
	first := []*Packet{answer, srv.openPacket(s)}
	if answer == nil {
		first = first[1:]
	}
	dirty := s.enqueue(first...) // it is flushQueued now, so nobody else will push it
	s.introduce(h)
	if s.receiver == nil {
		s.mu.Lock()
		s.ws = nil // stays open, so that the caller can answer
		s.endLocked(ReasonForcedClose)
		s.mu.Unlock()
		return nil, errForbidden
	}
	if dirty != nil {
		srv.flusher.push(s)
	}
	return s, nil
}

func (s *Session) introduce(h *Handshake) {
	defer func() {
		if v := recover(); v != nil {
			s.logPanic(v) // counts as a refusal: there is no receiver
		}
	}()
	s.receiver = s.server.accept(s, h)
}

// openPacket tells the client the session's id and the times ([protocol], "Handshake"). The keys are in the reference
// server's order.
func (srv *Server) openPacket(s *Session) *Packet {
	body, err := json.Marshal(struct {
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"`
		PingTimeout  int64    `json:"pingTimeout"`
		MaxPayload   int      `json:"maxPayload"`
	}{
		s.id, srv.config.upgrades(s.Transport()), srv.config.PingInterval.Milliseconds(),
		srv.config.PingTimeout.Milliseconds(), srv.config.MaxPayload,
	})
	if err != nil {
		panic("engineio: " + err.Error()) // strings and numbers always encode
	}
	return enginePacket(typeOpen, string(body)).Uncompressed()
}
