package sio

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"sync/atomic"
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
	// Recovery is how long a socket that lost its connection may come back with nothing missed.
	// Default 0: it may not.
	Recovery time.Duration
	// MaxAbsent bounds how many sockets of a namespace may be away and still come back. One more takes
	// the place of the one that is away for the longest time. Default 50,000.
	MaxAbsent int
	// MaxBinary bounds a binary packet with all its attachments, in bytes: it is held until the last of
	// them has come. Default: ten times Engine.MaxPayload, as in the reference server.
	MaxBinary int
	// Msgpack also serves clients that are given socket.io-msgpack-parser in place of their own parser. A
	// connection speaks what its first packet is written in, so both kinds of clients share namespaces,
	// handlers and multicasts, and nothing else depends on it; see package msgpack.
	Msgpack bool
	// Logger gets panics of handlers. Default slog.Default().
	Logger *slog.Logger
}

const (
	// defaultRetain is how many events a connection remembers until its client has proved that it got
	// them. A client that is lost without a sign is found to be so after some 85 s: till then this is
	// enough for some 80 events a second.
	defaultRetain = 8192
	// defaultMaxAbsent is some 100 MB, beside what is retained.
	defaultMaxAbsent = 50_000
)

// Server is an http.Handler that serves Socket.IO on whatever path it is mounted; clients use
// `/socket.io/` unless told otherwise.
type Server struct {
	config     Config
	handover   time.Duration
	engine     *engineio.Server
	namespaces map[string]*Namespace
	// matching are namespaces by rule, asked in order.
	matching []*Namespace

	// ctx is what handlers get; it ends when the server has shut down, or Shutdown waits no longer.
	ctx    context.Context
	cancel context.CancelFunc
	// stopping: Shutdown was called.
	stopping atomic.Bool
}

// NewServer returns a server with the namespace "/" and no handlers.
func NewServer(config Config) *Server {
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, 45*time.Second)
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Recovery > 0 {
		config.Engine.Retain = cmp.Or(config.Engine.Retain, defaultRetain)
		config.MaxAbsent = cmp.Or(config.MaxAbsent, defaultMaxAbsent)
	}
	config.Engine.Logger = cmp.Or(config.Engine.Logger, config.Logger)
	srv := &Server{config: config, handover: handover, namespaces: make(map[string]*Namespace)}
	srv.ctx, srv.cancel = context.WithCancel(context.Background())
	srv.engine = engineio.NewServer(config.Engine, srv.accept)
	srv.Of("/")
	return srv
}

// Of returns the namespace of that name, which begins with "/", and makes it if need be.
func (srv *Server) Of(name string) *Namespace {
	n, ok := srv.namespaces[name]
	if !ok {
		n = &Namespace{server: srv, name: name, rules: newRules()}
		srv.namespaces[name] = n
	}
	return n
}

// OfMatching returns the rules of all namespaces that match lets in and that Of was not called for:
// their handlers are registered here, once for all. match gets the name and the client's auth payload
// (nil if there is none) at each CONNECT, and may be called by many clients at once. The namespace of a
// socket is its own: see Socket.Namespace.
func (srv *Server) OfMatching(match func(name string, auth json.RawMessage) bool) *Namespace {
	n := &Namespace{server: srv, rules: newRules()}
	n.match = match
	srv.matching = append(srv.matching, n)
	return n
}

// find returns the namespace that a client asks for, or nil.
func (srv *Server) find(name string, auth json.RawMessage) *Namespace {
	if n, ok := srv.namespaces[name]; ok {
		return n
	}
	for _, n := range srv.matching {
		if n.match(name, auth) {
			return &Namespace{server: srv, name: name, rules: n.rules}
		}
	}
	return nil
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
	srv.stopping.Store(true)
	err := srv.engine.Shutdown(ctx, spread)
	for _, n := range srv.namespaces {
		n.pids.close()
	}
	for _, n := range srv.matching {
		n.pids.close()
	}
	return err
}

func (srv *Server) accept(s *engineio.Session, h *engineio.Handshake) engineio.Receiver {
	c := &conn{server: srv, session: s, value: h.Value}
	c.awaitConnect()
	return c
}

// maxBinary bounds a binary packet by what its parts may add up to, in bytes.
func (srv *Server) maxBinary() int {
	if srv.config.MaxBinary > 0 {
		return srv.config.MaxBinary
	}
	if srv.config.Engine.MaxPayload == 0 {
		return packet.DefaultMaxBytes
	}
	return min(srv.config.Engine.MaxPayload, math.MaxInt/packet.MaxAttachments) * packet.MaxAttachments
}
