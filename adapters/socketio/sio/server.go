package sio

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net/http"
	"time"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio/packet"
)

// Config tunes a Server. The zero value is a working default.
type Config struct {
	// Engine tunes the transport beneath. What its Authorize returns is given to middleware.
	Engine engineio.Config
	// ConnectTimeout is how long a connection may be in no namespace. Default 45 s.
	ConnectTimeout time.Duration
	// NoBinary takes binary data from clients for a violation, so that no memory is held for it.
	NoBinary bool
	// Logger gets panics of handlers. Default slog.Default().
	Logger *slog.Logger
}

// Server is an http.Handler that serves Socket.IO on whatever path it is mounted; clients use
// `/socket.io/` unless told otherwise.
type Server struct {
	config     Config
	engine     *engineio.Server
	namespaces map[string]*Namespace

	// ctx is what handlers get; it ends when the server has shut down, or Shutdown waits no longer.
	ctx    context.Context
	cancel context.CancelFunc
}

// NewServer returns a server with the namespace "/" and no handlers.
func NewServer(config Config) *Server {
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, 45*time.Second)
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	config.Engine.Logger = cmp.Or(config.Engine.Logger, config.Logger)
	srv := &Server{config: config, namespaces: make(map[string]*Namespace)}
	srv.ctx, srv.cancel = context.WithCancel(context.Background())
	srv.engine = engineio.NewServer(config.Engine, srv.accept)
	srv.Of("/")
	return srv
}

// Of returns the namespace of that name, which begins with "/", and makes it if need be.
func (srv *Server) Of(name string) *Namespace {
	n, ok := srv.namespaces[name]
	if !ok {
		n = &Namespace{server: srv, name: name, handlers: make(map[string]Handler)}
		srv.namespaces[name] = n
	}
	return n
}

// ServeHTTP serves every request of the protocol.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { srv.engine.ServeHTTP(w, r) }

// Len is the number of open connections, in whatever namespaces.
func (srv *Server) Len() int { return srv.engine.Len() }

// Shutdown refuses new connections, closes the open ones over the time of spread, and waits until all
// handlers are done. Clients see "transport close", after which they reconnect by themselves. When the
// context ends, that of the handlers does too, what is left is cut off and the context's error returned.
func (srv *Server) Shutdown(ctx context.Context, spread time.Duration) error {
	defer srv.cancel()
	defer context.AfterFunc(ctx, srv.cancel)()
	return srv.engine.Shutdown(ctx, spread)
}

func (srv *Server) accept(s *engineio.Session, h *engineio.Handshake) engineio.Receiver {
	c := &conn{server: srv, session: s, value: h.Value}
	c.packets.MaxBytes = srv.maxBinary()
	c.awaitConnect()
	return c
}

// maxBinary bounds a binary packet by what its parts may add up to, in bytes.
func (srv *Server) maxBinary() int {
	return min(srv.config.Engine.MaxPayload, math.MaxInt/packet.MaxAttachments) * packet.MaxAttachments
}
