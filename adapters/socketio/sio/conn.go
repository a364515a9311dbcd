package sio

import (
	"errors"
	"maps"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio/msgpack"
	"parley/adapters/socketio/sio/packet"
)

// maxNamespaces bounds the namespaces that one connection may be in, besides "/".
const maxNamespaces = 64

// conn is one connection: an engine session with the sockets that share it. Everything not marked otherwise is
// accessed only in the session's turn (engineio.Receiver), so it needs no lock.
type conn struct {
	server  *Server
	session *engineio.Session
	// disconnects counts the calls of Disconnect and DisconnectAll that have not been carried out yet. Any
	// goroutine may use it.
	disconnects atomic.Int32
	// msgpack says that the client uses socket.io-msgpack-parser. It is set with the first message, before there
	// is a socket, and never after, so anyone who has a socket may read it.
	msgpack bool
	// heard says that a message has arrived.
	heard bool
	// ending says that the client's messages are ignored because the connection is about to be closed.
	ending bool
	// value is what engineio.Config.Authorize returned.
	value any
	// main is the socket in "/"; others, created when needed, those in other namespaces.
	main   *Socket
	others map[string]*Socket
	// removedFrom names the namespaces that the server took this connection out of. Packets that the client sent
	// before it was told are ignored instead of being a violation.
	removedFrom map[string]bool
	// deadline closes a connection that is in no namespace for too long, or that does not close after dismissAll.
	deadline *time.Timer
	// assembly is nil until the first binary packet.
	assembly *assembly
}

// Receive handles one Engine.IO message: a packet or a part of a binary one.
func (c *conn) Receive(data []byte, binary bool) {
	if c.ending {
		return
	}
	p, whole, err := c.decode(data, binary)
	if c.assembly != nil {
		c.assembly.stop()
	}
	switch {
	case err != nil:
		c.violation(err)
	case whole:
		c.handle(&p)
	case !c.inside() && len(c.removedFrom) == 0:
		c.violation(errOutside) // no memory for a client that no namespace has admitted
	default:
		c.assembly.await(c.session)
	}
}

// decode reads a message. The first one decides on the parser: with the usual one it is text.
func (c *conn) decode(data []byte, binary bool) (p packet.Packet, whole bool, err error) {
	first := !c.heard
	c.heard = true
	switch {
	case binary && first && c.server.config.Msgpack:
		c.msgpack = true
		return c.decodeMsgpack(data)
	case c.msgpack && binary:
		return c.decodeMsgpack(data)
	case c.msgpack:
		return p, false, errText
	case binary:
		return c.assembler().Binary(data)
	case c.assembly != nil:
		return c.assembler().Text(data)
	}
	// Most clients never send anything binary, so they get no assembler.
	p, err = packet.Decode(data)
	if err == nil && p.Attachments > 0 {
		return c.assembler().Text(data)
	}
	return p, err == nil, err
}

// decodeMsgpack reads a frame, which is a whole packet including its binary data.
func (c *conn) decodeMsgpack(frame []byte) (p packet.Packet, whole bool, err error) {
	p, err = msgpack.Decode(frame)
	if err == nil && len(p.Buffers) > 0 && len(frame) > c.server.maxBinary() {
		err = packet.ErrTooBig
	}
	return p, err == nil, err
}

func (c *conn) handle(p *packet.Packet) {
	if p.Type == packet.Connect {
		c.connect(p)
		return
	}
	s := c.socket(p.Namespace)
	if s == nil {
		if !c.removedFrom[p.Namespace] {
			c.violation(errOutside)
		}
		return
	}
	if s.leaving.Load() {
		// The client has not heard of its removal yet. If it disconnects by itself, it need not be told.
		if p.Type == packet.Disconnect {
			c.leave(s, ReasonServerDisconnect)
		}
		return
	}
	switch p.Type {
	case packet.Disconnect:
		c.leave(s, ReasonClientDisconnect)
	case packet.Event:
		c.event(s, p)
	case packet.Ack:
		c.acked(s, p)
	default:
		c.violation(errDirection)
	}
}

// Violations of the protocol besides those that package packet finds.
var (
	errOutside   = errors.New("sio: packet for a namespace that the client is not in")
	errTwice     = errors.New("sio: second CONNECT to a namespace")
	errDirection = errors.New("sio: packet that only servers send")
	errText      = errors.New("sio: text from a client that uses msgpack")
)

// violation closes the whole connection, as the reference server does when a client violates the protocol.
func (c *conn) violation(err error) {
	for _, s := range c.sockets() {
		c.tell(s, err)
	}
	c.session.Close()
}

func (c *conn) tell(s *Socket, err error) {
	if s.namespace.onViolation != nil {
		defer c.recoverPanic()
		s.namespace.onViolation(c.server.ctx, s, err)
	}
}

// Closed takes the sockets out of their namespaces. It is the last call for the connection.
func (c *conn) Closed(reason engineio.CloseReason) {
	if c.assembly != nil {
		c.assembly.stop()
	}
	why := Reason(reason)
	if reason == engineio.ReasonForcedClose && c.server.stopping.Load() {
		why = ReasonShutdown
	}
	for _, s := range c.sockets() {
		if s.leaving.Load() {
			c.leave(s, ReasonServerDisconnect) // Disconnect was called first
			continue
		}
		c.leave(s, why)
	}
	c.clearDeadline() // which the end of the last socket has set again
	// Absent sockets keep a reference to the connection, but need nothing of it.
	c.assembly, c.value, c.removedFrom = nil, nil, nil
}

// inside reports whether the connection is in any namespace.
func (c *conn) inside() bool { return c.main != nil || len(c.others) > 0 }

func (c *conn) socket(namespace string) *Socket {
	if namespace == "/" {
		return c.main
	}
	return c.others[namespace]
}

// sockets returns the sockets in all namespaces.
func (c *conn) sockets() []*Socket {
	all := make([]*Socket, 0, 1+len(c.others))
	if c.main != nil {
		all = append(all, c.main)
	}
	return slices.AppendSeq(all, maps.Values(c.others))
}

func (c *conn) add(s *Socket) {
	if s.namespace.name == "/" {
		c.main = s
		return
	}
	if c.others == nil {
		c.others = make(map[string]*Socket)
	}
	c.others[s.namespace.name] = s
}

func (c *conn) remove(s *Socket) {
	if s.namespace.name == "/" {
		c.main = nil
		return
	}
	delete(c.others, s.namespace.name)
}

// noteRemoval remembers that the server took the connection out of the namespace. The memory is bounded: when it is
// full, it starts anew.
func (c *conn) noteRemoval(namespace string) {
	if c.removedFrom == nil || len(c.removedFrom) >= maxNamespaces {
		c.removedFrom = make(map[string]bool)
	}
	c.removedFrom[namespace] = true
}

// leave takes the socket out of its namespace. After it the socket is absent if it may recover, and otherwise
// gone.
func (c *conn) leave(s *Socket, reason Reason) {
	absent := s.mayRecover() && recoverable(reason) && !s.leaving.Load()
	if absent {
		s.state.Store(socketAbsent)
	} else {
		s.state.Store(socketGone)
	}
	c.remove(s)
	if reason == ReasonServerDisconnect {
		c.noteRemoval(s.namespace.name)
	}
	if !c.inside() {
		c.clearDeadline()
		c.awaitConnect()
	}
	c.settleAll(s)
	s.namespace.disconnected(c, s, reason)
	switch {
	case absent:
		s.namespace.pids.keep(s, time.Now().Add(c.server.config.Recovery), c.server.config.MaxAbsent)
	case s.mayRecover():
		s.namespace.pids.drop(s)
		c.session.Forget(s.namespace.name)
	default:
		s.gone()
	}
}

// event calls the handler of an event. A panic in it ends the connection and nothing else.
func (c *conn) event(s *Socket, p *packet.Packet) {
	e := &Event{Socket: s, Attachments: p.Buffers, id: p.ID}
	e.wantsAck.Store(p.HasID)
	args, err := p.Args(e.few[:0])
	if err == nil && len(args) == 0 {
		return // an event without a payload calls no listener of the reference server
	}
	if err == nil {
		e.Name, err = packet.EventName(args[0])
	}
	if err != nil {
		c.violation(err)
		return
	}
	e.Args = args[1:]
	defer c.recoverPanic()
	s.namespace.handle(c.server.ctx, e)
}

func (c *conn) recoverPanic() {
	if v := recover(); v != nil {
		c.logPanic(v)
		c.session.Close()
	}
}

func (c *conn) logPanic(v any) {
	c.server.config.Logger.Error("sio: panic in handler", "panic", v, "stack", string(debug.Stack()))
}
