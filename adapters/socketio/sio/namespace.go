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

// rules are what a namespace does. All namespaces that one call of OfMatching lets in share theirs.
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
	// rooms is nil unless asked for.
	rooms *Rooms

	// chain is the handling of every event, wrappers and all; it is made for the first one.
	chain     Handler
	makeChain sync.Once
}

func newRules() *rules { return &rules{handlers: make(map[string]Handler)} }

// Middleware decides whether a socket may connect. An error refuses it with CONNECT_ERROR: a
// *ConnectError says what the client is told, of any other error the client sees the text.
type Middleware func(context.Context, *Connect) error

// Connect is a client's request to connect to a namespace.
type Connect struct {
	// Socket has its id, but is not connected yet: nothing can be emitted to it, unless Recovering.
	Socket *Socket
	// Recovering: the socket was connected before and its client wants to carry on. What is emitted to
	// it goes behind what it has missed. ErrNotRecovered makes the client connect anew instead.
	Recovering bool
	// Auth is the client's auth payload, a JSON object, or nil. Valid only during the call.
	Auth json.RawMessage
	// Value is what engineio.Config.Authorize returned for the connection's first request.
	Value any
}

// ConnectError is what a refused client gets in its connect_error: an Error with message and data.
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

// Use adds middleware, called in order of addition for each socket that wants to connect.
func (n *Namespace) Use(m Middleware) { n.middleware = append(n.middleware, m) }

// On sets the handler of the event.
func (n *Namespace) On(event string, h Handler) { n.handlers[event] = h }

// OnUnhandled sets the handler of events that have none of their own. For one that is told of every event,
// handled or not, see UseEvent.
func (n *Namespace) OnUnhandled(h Handler) { n.unhandled = h }

// UseEvent adds a wrapper around the handling of every event, whether it has a handler or not: it may look
// at the event, answer it, or pass it on to next. So it is both what the reference server calls a socket's
// middleware and what it calls a catch-all listener. The wrapper added first is the outermost. wrap is
// called once.
func (n *Namespace) UseEvent(wrap func(next Handler) Handler) { n.wrappers = append(n.wrappers, wrap) }

// OnConnect sets what is called when a socket has connected, after the client has been told; also when it has
// recovered: see Socket.Recovered.
func (n *Namespace) OnConnect(f func(context.Context, *Socket)) { n.onConnect = f }

// OnAck sets what is called with the acks to events of PrepareAsking, with their ids. Any client may send
// one with any id. The reply is valid only during the call.
func (n *Namespace) OnAck(f func(ctx context.Context, s *Socket, id uint64, r *Reply)) { n.onAck = f }

// OnViolation sets what is called for a socket whose client breaks the protocol, before its connection is
// closed: the last moment to tell the client.
func (n *Namespace) OnViolation(f func(context.Context, *Socket, error)) { n.onViolation = f }

// OnDisconnect sets what is called when a socket that had passed the middleware is gone, once for each time that
// it had. With Config.Recovery it may come back, and pass the middleware again; nothing is called when its time
// for that is over.
func (n *Namespace) OnDisconnect(f func(context.Context, *Socket, Reason)) { n.onDisconnect = f }

// handle calls the event's handler, if it has one, inside the wrappers.
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

// recovers reports whether sockets that lost their connection may come back.
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
