package legacy

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	eio "github.com/googollee/go-socket.io/engineio"
	"github.com/googollee/go-socket.io/engineio/transport"

	"parley/adapters/socketio"
	"parley/adapters/socketio/engineio"
	"parley/domain"
	"parley/ports"
)

// Config tunes a Server. Every field but QueryToken must be set.
type Config struct {
	// PingInterval and PingTimeout are told to clients, which send the pings; a session whose client has not
	// pinged for the sum of both ends.
	PingInterval, PingTimeout time.Duration
	// MaxPayload bounds a WebSocket message and a polling request body from the client, in bytes.
	MaxPayload int
	// OutboxBytes bounds what may wait for one session, in bytes.
	OutboxBytes int
	// AllowOrigin is engineio.Config.AllowOrigin.
	AllowOrigin func(origin string) bool
	// QueryToken also accepts the token in the query parameter `token`, from where it gets into logs.
	QueryToken bool
}

// Server is the inbound half of this adapter: it turns old clients' events into calls of the application.
type Server struct {
	config    Config
	chat      ports.Chat
	hub       *Hub
	log       *slog.Logger
	endpoints *socketio.Endpoints
	// engine is the library's. Nothing runs its accept loop: serve accepts one session for each that introduce
	// announces.
	engine *eio.Server

	// ctx is passed to the application. It ends when the server has shut down.
	ctx    context.Context
	cancel context.CancelFunc
	// running counts sessions, from the handshake until nothing is left of them.
	running sync.WaitGroup

	mu       sync.Mutex
	closing  bool
	sessions map[string]*session // by the engine's id
}

// NewServer returns an http.Handler for the requests with EIO=3 under the path `/socket.io/`.
func NewServer(config Config, chat ports.Chat, hub *Hub, log *slog.Logger) *Server {
	srv := &Server{
		config: config, chat: chat, hub: hub, log: log, endpoints: socketio.NewEndpoints(chat, log),
		sessions: make(map[string]*session),
	}
	srv.ctx, srv.cancel = context.WithCancel(context.Background())
	srv.engine = eio.NewServer(&eio.Options{
		PingInterval: config.PingInterval, PingTimeout: config.PingTimeout,
		Transports:         []transport.Transport{pollingTransport{}, websocketTransport{}},
		SessionIDGenerator: randomIDs{},
		ConnInitor:         srv.introduce,
	})
	return srv
}

// Len is the number of open sessions.
func (srv *Server) Len() int {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return len(srv.sessions)
}

// ServeHTTP serves every request of the protocol. The order of the checks is the reference server's.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	limitBody(w, r)
	if !engineio.AdmitOrigin(w, r, srv.config.AllowOrigin) {
		return
	}
	query := r.URL.Query()
	upgrade := strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	switch t := query.Get("transport"); {
	case t != engineio.Polling && t != engineio.WebSocket:
		errUnknownTransport.ServeHTTP(w, r)
	case query.Has("j"), upgrade != (t == engineio.WebSocket):
		errBadRequest.ServeHTTP(w, r)
	case query.Get("sid") != "":
		srv.serveSession(w, r, query.Get("sid"), upgrade)
	case r.Method != http.MethodGet:
		errHandshakeMethod.ServeHTTP(w, r)
	default:
		srv.serveHandshake(w, r, query, upgrade)
	}
}

// serveSession serves a request of an existing session. The library gets only the one that upgrades: it would take a
// poll that comes too late for an upgrade from WebSocket to polling, and leave any number of polls hanging.
func (srv *Server) serveSession(w http.ResponseWriter, r *http.Request, sid string, upgrade bool) {
	s := srv.session(sid)
	switch {
	case s == nil:
		errUnknownSession.ServeHTTP(w, r)
	case upgrade:
		if !s.startUpgrade() {
			errBadRequest.ServeHTTP(w, r)
			return
		}
		srv.engine.ServeHTTP(w, withSession(r, s))
	case r.Method == http.MethodGet:
		s.servePoll(w, r)
	case r.Method == http.MethodPost:
		s.servePost(w, r)
	default:
		w.WriteHeader(http.StatusInternalServerError) // as the reference server
	}
}

// serveHandshake opens a session.
func (srv *Server) serveHandshake(w http.ResponseWriter, r *http.Request, query url.Values, upgrade bool) {
	token, err := srv.token(r, query)
	if err != nil {
		srv.logInternal("handshake", err)
		socketio.HandshakeRefusal(err).ServeHTTP(w, r)
		return
	}
	s := srv.begin(token)
	if s == nil {
		errClosing.ServeHTTP(w, r)
		return
	}
	defer func() {
		if !s.isIntroduced() {
			s.end()
			srv.running.Done()
		}
	}()
	srv.engine.ServeHTTP(w, withSession(r, s))
	if !upgrade && s.isIntroduced() {
		s.servePoll(w, r)
	}
}

// token returns the token that the client signs in with. A bad one in the header is refused before anything is
// opened; one in the query is verified later, when the client can be told what is wrong with it.
func (srv *Server) token(r *http.Request, query url.Values) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(token)
		_, err := srv.chat.Authenticate(r.Context(), token)
		return token, err
	}
	if srv.config.QueryToken {
		return query.Get("token"), nil
	}
	return "", nil
}

// begin returns a new session, or nil if the server is closing.
func (srv *Server) begin(token string) *session {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.closing {
		return nil
	}
	srv.running.Add(1)
	return newSession(srv, token)
}

// introduce is the library's ConnInitor: it is called once for each session that the library opens, before the
// session does anything. The library hands each session out again, through Accept, when upgrades can find it;
// only then may the session tell its client its id. serve waits for that.
func (srv *Server) introduce(r *http.Request, conn eio.Conn) {
	s := sessionOf(r)
	s.conn = conn
	conn.SetContext(s)
	srv.add(conn.ID(), s)
	close(s.introduced)
	go srv.serve()
}

// serve runs a session that the library hands out. There is one serve for each session, but not necessarily the
// one started for it.
func (srv *Server) serve() {
	conn, err := srv.engine.Accept()
	if err != nil {
		return // never, because the engine is not closed
	}
	conn.Context().(*session).run()
}

func (srv *Server) add(sid string, s *session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.sessions[sid] = s
	if srv.closing {
		s.close()
	}
}

func (srv *Server) session(sid string) *session {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return srv.sessions[sid]
}

func (srv *Server) remove(sid string) {
	srv.engine.Remove(sid)
	srv.mu.Lock()
	defer srv.mu.Unlock()
	delete(srv.sessions, sid)
}

// logInternal logs errors that are the server's fault. Refusals are the client's, and only told to it.
func (srv *Server) logInternal(what string, err error) {
	if code := domain.AsError(err).Code; code == domain.CodeInternal || code == domain.CodeUnavailable {
		srv.log.Error("request failed", "event", what, "error", err)
	}
}
