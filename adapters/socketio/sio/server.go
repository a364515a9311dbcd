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
	// Engine tunes the transport underneath. What its Authorize returns is passed to middleware as Connect.Value.
	Engine engineio.Config
	// ConnectTimeout is how long a connection may be in no namespace before it is closed. Default 45 s.
	ConnectTimeout time.Duration
	// Recovery is how long a socket that lost its connection may come back without having missed anything.
	// Default 0: it may not come back.
	Recovery time.Duration
	// MaxAbsent bounds the sockets of a namespace that have lost their connection and may still come back. If one
	// more is lost, the one that has been away longest is given up. Default 50,000.
	MaxAbsent int
	// MaxBinary bounds a binary packet with all its attachments, in bytes: it is held in memory until the last of
	// them has arrived. Default: ten times Engine.MaxPayload, as in the reference server.
	MaxBinary int
	// Msgpack also serves clients that use socket.io-msgpack-parser instead of the usual parser. The first packet
	// of a connection decides which one it uses, so both kinds of clients share namespaces, handlers and
	// multicasts. See package msgpack.
	Msgpack bool
	// Logger gets the panics of handlers. Default slog.Default().
	Logger *slog.Logger
}

const (
	// defaultRetain is how many events a connection remembers until its client has proved that it got them. The
	// loss of a client that gives no sign is noticed after some 85 s; for that time this suffices at about 80
	// events a second.
	defaultRetain = 8192
	// defaultMaxAbsent bounds absent sockets to some 100 MB, besides what is retained for them.
	defaultMaxAbsent = 50_000
)

// Server is an http.Handler that serves Socket.IO on whatever path it is mounted; clients use `/socket.io/`
// unless configured otherwise.
type Server struct {
	config     Config
	handover   time.Duration
	engine     *engineio.Server
	namespaces map[string]*Namespace
	// matching holds what OfMatching returned. They are asked in the order of the calls.
	matching []*Namespace

	// ctx is passed to handlers. It ends when the server has shut down, or when Shutdown stops waiting.
	ctx    context.Context
	cancel context.CancelFunc
	// stopping is true once Shutdown was called.
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

// Of returns the namespace with the name, which must begin with "/", and creates it if necessary.
func (srv *Server) Of(name string) *Namespace {
	n, ok := srv.namespaces[name]
	if !ok {
		n = &Namespace{server: srv, name: name, rules: newRules()}
		srv.namespaces[name] = n
	}
	return n
}

// OfMatching registers handlers, once, for all namespaces that match accepts and that Of was not called for.
// match gets the name and the client's auth payload (nil if there is none) of each CONNECT, and may be called for
// many clients at once. Each socket's own namespace, with its real name, is Socket.Namespace; the returned one
// has no name.
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

// Len is the number of open connections, whatever namespaces they are in.
func (srv *Server) Len() int { return srv.engine.Len() }

// Shutdown refuses new connections, closes the open ones spread evenly over the given time, and waits until all
// handlers are done. Clients see "transport close" and reconnect by themselves. When ctx ends, the handlers'
// context ends too, the remaining connections are cut off, and ctx's error is returned.
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

// maxBinary is the limit of a binary packet: MaxBinary, or else as many bytes as its parts may add up to.
func (srv *Server) maxBinary() int {
	if srv.config.MaxBinary > 0 {
		return srv.config.MaxBinary
	}
	if srv.config.Engine.MaxPayload == 0 {
		return packet.DefaultMaxBytes
	}
	return min(srv.config.Engine.MaxPayload, math.MaxInt/packet.MaxAttachments) * packet.MaxAttachments
}
