package sio

import (
	"context"
	"encoding/json"
)

// Namespace is one of the channels that share a connection ([protocol], "Connection to a namespace").
type Namespace struct {
	server       *Server
	name         string
	middleware   []Middleware
	handlers     map[string]Handler
	unhandled    Handler
	onConnect    func(context.Context, *Socket)
	onDisconnect func(context.Context, *Socket, Reason)
	onViolation  func(context.Context, *Socket, error)
}

// Middleware decides whether a socket may connect. An error refuses it with CONNECT_ERROR: a
// *ConnectError says what the client is told, of any other error the client sees the text.
type Middleware func(context.Context, *Connect) error

// Connect is a client's request to connect to a namespace.
type Connect struct {
	// Socket has its id, but is not connected yet: nothing can be emitted to it.
	Socket *Socket
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

// OnUnhandled sets the handler of events that have none of their own.
func (n *Namespace) OnUnhandled(h Handler) { n.unhandled = h }

// OnConnect sets what is called when a socket has connected, after the client has been told.
func (n *Namespace) OnConnect(f func(context.Context, *Socket)) { n.onConnect = f }

// OnViolation sets what is called for a socket whose client breaks the protocol, before its connection is
// closed: the last moment to tell the client.
func (n *Namespace) OnViolation(f func(context.Context, *Socket, error)) { n.onViolation = f }

// OnDisconnect sets what is called, once, when a socket that had passed the middleware is gone.
func (n *Namespace) OnDisconnect(f func(context.Context, *Socket, Reason)) { n.onDisconnect = f }
