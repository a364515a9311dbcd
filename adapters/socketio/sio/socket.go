package sio

import (
	"crypto/rand"
	"encoding/base64"
	"sync/atomic"

	"parley/adapters/socketio/engineio"
)

// Reason says why a socket disconnected, in the reference server's words where it has any.
type Reason string

// The reasons besides those of the engine, which are passed on as they are.
const (
	// ReasonClientDisconnect: the client left the namespace.
	ReasonClientDisconnect Reason = "client namespace disconnect"
	// ReasonServerDisconnect: Socket.Disconnect or Socket.DisconnectAll was called.
	ReasonServerDisconnect Reason = "server namespace disconnect"
	// ReasonShutdown: Server.Shutdown was called.
	ReasonShutdown Reason = "server shutting down"
)

// The states of a socket. They change on the connection's turn, and may be read by anyone.
const (
	// socketNew: the middleware has not admitted it yet.
	socketNew = iota
	socketConnected
	// socketAbsent: the connection is lost. What is sent is retained for its return.
	socketAbsent
	socketGone
)

// Socket is one client in one namespace.
type Socket struct {
	// conn changes when the socket recovers on another connection.
	conn      atomic.Pointer[conn]
	namespace *Namespace
	id        string
	// pid is the secret with which the client may recover the socket; the zero value if it may not.
	pid       pid
	recovered atomic.Bool
	state     atomic.Int32
	// leaving is set when Disconnect is called: from then on the client's events are ignored, and nothing is sent
	// to it. leavingAll is set before it if that was DisconnectAll.
	leaving, leavingAll atomic.Bool
	debts               debts
	// Value belongs to the application. Only middleware and handlers of this socket may access it.
	Value any
}

func newSocket(c *conn, n *Namespace) *Socket {
	s := &Socket{namespace: n, id: newSocketID()}
	s.conn.Store(c)
	if n.recovers() {
		s.pid = newPID()
	}
	return s
}

// mayRecover reports whether the socket may outlive its connection.
func (s *Socket) mayRecover() bool { return s.pid != pid{} }

// ID is the socket's id, which its client knows too. It is no secret: it may be shown to other clients.
func (s *Socket) ID() string { return s.id }

// Namespace is the namespace that the socket belongs to.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Recovered reports whether the socket has come back after a lost connection, with nothing missed.
func (s *Socket) Recovered() bool { return s.recovered.Load() }

// Transport is the transport in use: engineio.Polling or engineio.WebSocket.
func (s *Socket) Transport() string { return s.session().Transport() }

func (s *Socket) session() *engineio.Session { return s.conn.Load().session }

// Emit sends an event. If the socket is gone, nothing is sent. The error is that of encoding the arguments.
func (s *Socket) Emit(event string, args ...any) error {
	packets, err := s.encode(event, args)
	if err == nil && s.listens() {
		s.session().Send(packets...)
	}
	return err
}

// EmitVolatile is Emit for an event that may be dropped if the client reads too slowly, and that is not sent
// again when the client recovers.
func (s *Socket) EmitVolatile(event string, args ...any) error {
	packets, err := s.encode(event, args)
	if err != nil || !s.listens() {
		return err
	}
	for i, p := range packets {
		packets[i] = p.Volatile()
	}
	s.session().Send(packets...)
	return nil
}

func (s *Socket) encode(event string, args []any) ([]*engineio.Packet, error) {
	o, err := newEvent(s.namespace.name, event, s.mayRecover(), args)
	if err != nil {
		return nil, err
	}
	return s.conn.Load().encode(&o)
}

// Send sends a prepared event of the socket's namespace.
func (s *Socket) Send(p Prepared) {
	if s.listens() {
		c := s.conn.Load()
		c.session.Send(p.packets(c.msgpack)...)
	}
}

// listens reports whether the socket can be sent anything: it is connected, or absent and may come back.
func (s *Socket) listens() bool {
	state := s.state.Load()
	return (state == socketConnected || state == socketAbsent) && !s.leaving.Load()
}

// answer sends an ack, or what belongs to one, on the current connection.
func (s *Socket) answer(packets []*engineio.Packet) {
	if s.listens() {
		s.session().Answer(packets...)
	}
}

// Disconnect takes the socket out of its namespace, once everything emitted so far has been sent. As soon as it
// is called, no further event of the client is handled and nothing more is sent to it. The client sees "io server
// disconnect", does not reconnect by itself, and cannot recover. Its sockets in other namespaces stay.
func (s *Socket) Disconnect() {
	if s.leaving.Load() {
		return // however often it is called, one turn is enough
	}
	s.startLeaving(func(c *conn) {
		if s.state.Load() == socketConnected {
			c.dismiss(s)
		}
	})
}

// DisconnectAll takes all sockets of the connection out of their namespaces, as Disconnect does, and closes the
// connection a second later unless the client has closed it. The client sees "io server disconnect" and does not
// reconnect by itself. This is the reference server's disconnect(true).
func (s *Socket) DisconnectAll() {
	s.leavingAll.Store(true)
	s.startLeaving((*conn).dismissAll)
}

// startLeaving marks the socket as leaving, and calls dismiss in its connection's turn.
func (s *Socket) startLeaving(dismiss func(*conn)) {
	s.leaving.Store(true)
	s.namespace.pids.dropAbsent(s)
	c := s.conn.Load()
	c.disconnects.Add(1)
	c.session.Do(func() {
		defer c.disconnects.Add(-1)
		dismiss(c)
	})
}

// Close closes the whole connection, once everything emitted so far has been sent, and after any earlier
// Disconnect of its sockets. The client sees "transport close" and reconnects by itself; OnDisconnect gets
// "forced close", and the sockets may recover.
func (s *Socket) Close() {
	c := s.conn.Load()
	if c.disconnects.Load() > 0 {
		c.session.Do(c.session.Close)
		return
	}
	c.session.Close()
}

// gone records that the socket will not come back.
func (s *Socket) gone() {
	s.state.Store(socketGone)
	if s.namespace.rooms != nil {
		s.namespace.rooms.forget(s)
	}
}

// newSocketID returns 120 random bits as 20 characters, like the reference server's.
func newSocketID() string {
	b := random()
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func random() (b [15]byte) {
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the program instead
	return b
}
