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

// maxNamespaces bounds how many namespaces one connection may be in, beside "/".
const maxNamespaces = 64

// conn is one connection: an engine session with the sockets that share it. All of it belongs to the
// session's turn (engineio.Receiver), so it needs no lock.
type conn struct {
	server  *Server
	session *engineio.Session
	// parting counts calls of Disconnect that are still to be carried out. Anyone may read it.
	parting atomic.Int32
	// msgpack: the client uses socket.io-msgpack-parser. It is so from the first message on, before there
	// is a socket, and so may be read by anyone who has one.
	msgpack bool
	// heard: a message has come.
	heard bool
	// dismissed: the connection is about to end.
	dismissed bool
	// value is what Authorize returned.
	value any
	// main is the socket in "/"; others, made when needed, those in other namespaces.
	main   *Socket
	others map[string]*Socket
	// left names the namespaces that the server took this connection out of. Packets that the client
	// sent before it heard are ignored instead of being a violation.
	left map[string]bool
	// waiting runs while the connection is in no namespace.
	waiting *time.Timer
	// parts are what becomes a binary packet; nil until there was one.
	parts *parts
}

// Receive handles one Engine.IO message: a packet, or a part of a binary one.
func (c *conn) Receive(data []byte, binary bool) {
	if c.dismissed {
		return
	}
	p, whole, err := c.decode(data, binary)
	if c.parts != nil {
		c.parts.stop()
	}
	switch {
	case err != nil:
		c.violation(err)
	case whole:
		c.handle(&p)
	case !c.inside() && len(c.left) == 0:
		c.violation(errOutside) // nothing is kept for a client that nobody has let in
	default:
		c.parts.await(c.session)
	}
}

// decode reads a message. With the usual parser the first one is text.
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
	case c.parts != nil:
		return c.assembler().Text(data)
	}
	// Most clients never send anything binary, and need nothing to put it together.
	p, err = packet.Decode(data)
	if err == nil && p.Attachments > 0 {
		return c.assembler().Text(data)
	}
	return p, err == nil, err
}

// decodeMsgpack reads a frame, which is a whole packet with all its binary data.
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
		if !c.left[p.Namespace] {
			c.violation(errOutside)
		}
		return
	}
	if s.leaving.Load() {
		// The client has not heard of it yet. If it goes by itself, it need not.
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

// What clients do wrong beside what package packet finds.
var (
	errOutside   = errors.New("sio: packet for a namespace that the client is not in")
	errTwice     = errors.New("sio: second CONNECT to a namespace")
	errDirection = errors.New("sio: packet that only servers send")
	errText      = errors.New("sio: text from a client that uses msgpack")
)

// violation ends the whole connection, as the reference server does when a client breaks the protocol.
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

// Closed takes the sockets out of their namespaces.
func (c *conn) Closed(reason engineio.CloseReason) {
	if c.parts != nil {
		c.parts.stop()
	}
	c.stopWaiting()
	why := Reason(reason)
	if reason == engineio.ReasonForcedClose && c.server.stopping.Load() {
		why = ReasonShutdown
	}
	for _, s := range c.sockets() {
		if s.leaving.Load() {
			c.leave(s, ReasonServerDisconnect) // which was called first
			continue
		}
		c.leave(s, why)
	}
	c.stopWaiting()
	// Absent sockets hold on to the connection, but need nothing of it.
	c.parts, c.value, c.left = nil, nil, nil
}

// inside reports whether the connection is in any namespace.
func (c *conn) inside() bool { return c.main != nil || len(c.others) > 0 }

func (c *conn) socket(namespace string) *Socket {
	if namespace == "/" {
		return c.main
	}
	return c.others[namespace]
}

// sockets lists those in all namespaces.
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

// leave ends the socket's connection to its namespace.
func (c *conn) leave(s *Socket, reason Reason) {
	absent := s.mayRecover() && recoverable(reason) && !s.leaving.Load()
	if absent {
		s.state.Store(socketAbsent)
	} else {
		s.state.Store(socketGone)
	}
	if s.namespace.name == "/" {
		c.main = nil
	} else {
		delete(c.others, s.namespace.name)
	}
	if reason == ReasonServerDisconnect {
		if c.left == nil || len(c.left) >= maxNamespaces {
			c.left = make(map[string]bool)
		}
		c.left[s.namespace.name] = true
	}
	if !c.inside() {
		c.stopWaiting()
		c.awaitConnect()
	}
	c.settleAll(s)
	s.namespace.disconnected(c, s, reason)
	switch {
	case absent:
		s.namespace.pids.left(s, time.Now().Add(c.server.config.Recovery), c.server.config.MaxAbsent)
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
