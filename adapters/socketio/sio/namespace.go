package sio

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
)

// Namespace is one of the channels that share a connection ([protocol], "Connection to a namespace").
type Namespace struct {
	server *Server
	name   string
	*rules
}

// rules are a namespace's handlers and what belongs to them. All namespaces that one call of OfMatching accepts
// share theirs.
type rules struct {
	match        func(name string, auth json.RawMessage) bool
	middleware   []Middleware
	wrappers     []func(Handler) Handler
	handlers     map[string]Handler
	unhandled    Handler
	onConnect    func(context.Context, *Socket)
	onDisconnect func(context.Context, *Socket, Reason)
	onViolation  func(context.Context, *Socket, error)
	onAck        func(context.Context, *Socket, uint64, *Reply)
	onError      func(context.Context, *Event, error)
	pids         pids
	// rooms is nil unless Rooms was called.
	rooms *Rooms

	// chain handles every event: the wrappers around the choice of handler. It is built for the first event.
	chain     Handler
	makeChain sync.Once
}

func newRules() *rules { return &rules{handlers: make(map[string]Handler)} }

// Middleware decides whether a socket may connect. An error refuses it with CONNECT_ERROR: a *ConnectError says
// what the client is told; of any other error the client sees the text.
type Middleware func(context.Context, *Connect) error

// Connect is a client's request to connect to a namespace.
type Connect struct {
	// Socket has its id, but is not connected yet: nothing can be emitted to it unless Recovering is set.
	Socket *Socket
	// Recovering says that the socket was connected before and its client wants to carry on. Events emitted to
	// the socket are sent after those that it missed. Return ErrNotRecovered to make the client connect anew
	// instead.
	Recovering bool
	// Auth is the client's auth payload, a JSON object, or nil. Valid only during the call.
	Auth json.RawMessage
	// Value is what engineio.Config.Authorize returned for the connection's first request.
	Value any
}

// ConnectError refuses a socket. In the client's connect_error event it arrives as an Error with message and
// data.
type ConnectError struct {
	Message string
	Data    any
}

// Error returns the message.
func (e *ConnectError) Error() string { return e.Message }

// Handler handles one event.
type Handler func(context.Context, *Event)

// Name is the namespace's name, "/" for the main one.
func (n *Namespace) Name() string { return n.name }

// Use adds middleware. For each socket that wants to connect, all of it is called in the order in which it was
// added, up to the first error.
func (n *Namespace) Use(m Middleware) { n.middleware = append(n.middleware, m) }

// On sets the handler of the event, in place of an earlier one.
func (n *Namespace) On(event string, h Handler) { n.handlers[event] = h }

// OnUnhandled sets the handler of events that have no handler of their own. To see every event, handled or not,
// use UseEvent.
func (n *Namespace) OnUnhandled(h Handler) { n.unhandled = h }

// UseEvent adds a wrapper around the handling of every event, whether the event has a handler or not: it may
// inspect the event, answer it, or pass it on to next. It takes the place both of the reference server's socket
// middleware and of its catch-all listeners. The wrapper added first is the outermost. wrap itself is called
// once.
func (n *Namespace) UseEvent(wrap func(next Handler) Handler) { n.wrappers = append(n.wrappers, wrap) }

// OnConnect sets what is called when a socket has connected, after the client has been told, and when one has
// recovered: see Socket.Recovered.
func (n *Namespace) OnConnect(f func(context.Context, *Socket)) { n.onConnect = f }

// OnAck sets what is called with acks to events of PrepareAsking, with the ids of those events. Any client may
// send an ack with any id, so check it. The reply is valid only during the call.
func (n *Namespace) OnAck(f func(ctx context.Context, s *Socket, id uint64, r *Reply)) { n.onAck = f }

// OnViolation sets what is called for each socket in the namespace whose client violates the protocol, before its
// connection is closed: the last moment at which to tell the client something.
func (n *Namespace) OnViolation(f func(context.Context, *Socket, error)) { n.onViolation = f }

// OnDisconnect sets what is called when a socket that passed the middleware has disconnected: once for each time
// that it passed. With Config.Recovery the socket may come back and pass the middleware again; if it does not
// come back in time, nothing further is called.
func (n *Namespace) OnDisconnect(f func(context.Context, *Socket, Reason)) { n.onDisconnect = f }

// handle passes the event through the wrappers to its handler, if it has one.
func (n *Namespace) handle(ctx context.Context, e *Event) {
	n.makeChain.Do(n.wrap)
	n.chain(ctx, e)
}

func (r *rules) wrap() {
	r.chain = func(ctx context.Context, e *Event) {
		h := r.handlers[e.Name]
		if h == nil {
			h = r.unhandled
		}
		if h != nil {
			h(ctx, e)
		}
	}
	for _, wrap := range slices.Backward(r.wrappers) {
		r.chain = wrap(r.chain)
	}
}

// recovers reports whether sockets that lose their connection may come back.
func (n *Namespace) recovers() bool { return n.server.config.Recovery > 0 }

func (n *Namespace) connected(c *conn, s *Socket) {
	if n.onConnect != nil {
		defer c.recoverPanic()
		n.onConnect(n.server.ctx, s)
	}
}

func (n *Namespace) disconnected(c *conn, s *Socket, reason Reason) {
	if n.onDisconnect != nil {
		defer c.recoverPanic()
		n.onDisconnect(n.server.ctx, s, reason)
	}
}
