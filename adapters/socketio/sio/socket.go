package sio

import (
	"crypto/rand"
	"encoding/base64"
	"sync/atomic"

	"parley/adapters/socketio/engineio"
)

// Reason says why a socket is gone, in the reference server's words where it has one.
type Reason string

// The reasons beside those of the engine, which are passed on as they are.
const (
	// ReasonClientDisconnect: the client left the namespace, or said goodbye.
	ReasonClientDisconnect Reason = "client namespace disconnect"
	// ReasonServerDisconnect: Socket.Disconnect or Socket.DisconnectAll was called.
	ReasonServerDisconnect Reason = "server namespace disconnect"
	// ReasonShutdown: Server.Shutdown was called.
	ReasonShutdown Reason = "server shutting down"
)

// The states of a socket. They change on the connection's turn, and may be read by anyone.
const (
	// socketNew: the middleware has not let it in yet.
	socketNew = iota
	socketConnected
	// socketAbsent: the connection is lost, and what is sent is retained until it comes back.
	socketAbsent
	socketGone
)

// Socket is one client in one namespace.
type Socket struct {
	// conn changes when the socket recovers on another connection.
	conn      atomic.Pointer[conn]
	namespace *Namespace
	id        string
	// pid is the secret by which the client may recover; the zero value if it may not.
	pid       pid
	recovered atomic.Bool
	state     atomic.Int32
	// leaving is true from the call of Disconnect: what the client sends after it is ignored, and it is sent no more.
	leaving atomic.Bool
	debts   debts
	// Value is the application's. It may be touched by middleware and handlers of this socket only.
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

// mayRecover reports whether the socket outlives its connection.
func (s *Socket) mayRecover() bool { return s.pid != pid{} }

// ID names the socket. It is no secret: it may be shown to other clients.
func (s *Socket) ID() string { return s.id }

// Namespace is where the socket is connected.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Recovered reports whether the socket has come back from a lost connection, with nothing missed.
func (s *Socket) Recovered() bool { return s.recovered.Load() }

// Transport names the transport in use: engineio.Polling or engineio.WebSocket.
func (s *Socket) Transport() string { return s.session().Transport() }

func (s *Socket) session() *engineio.Session { return s.conn.Load().session }

// Emit sends an event. To a socket that is gone it sends nothing. The error is that of encoding the
// arguments.
func (s *Socket) Emit(event string, args ...any) error {
	packets, err := s.encode(event, args)
	if err == nil && s.listens() {
		s.session().Send(packets...)
	}
	return err
}

// EmitVolatile is Emit of an event that may be dropped if the client reads too slowly, and is not told
// again to one that recovers.
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

// listens reports whether what is sent to the socket has a place to go.
func (s *Socket) listens() bool {
	state := s.state.Load()
	return (state == socketConnected || state == socketAbsent) && !s.leaving.Load()
}

// answer sends an ack, to the connection that is there now.
func (s *Socket) answer(packets []*engineio.Packet) {
	if s.listens() {
		s.session().Answer(packets...)
	}
}

// Disconnect takes the socket out of its namespace, after what was emitted has left. From now on no
// event of the client is handled, and nothing is sent to it. The client sees "io server disconnect", does not come back by itself,
// and does not recover. Its sockets in other namespaces stay.
func (s *Socket) Disconnect() {
	if s.leaving.Load() {
		return // however often it is called, one turn is enough
	}
	s.part(func(c *conn) {
		if s.state.Load() == socketConnected {
			c.dismiss(s)
		}
	})
}

// DisconnectAll takes all sockets of the connection out of their namespaces, as Disconnect does, and closes
// the connection, a second later if the client has not. The client sees "io server disconnect" and does not
// come back by itself. This is the reference server's disconnect(true).
func (s *Socket) DisconnectAll() { s.part((*conn).dismissAll) }

// part makes the socket one that leaves, and calls dismiss in the connection's turn.
func (s *Socket) part(dismiss func(*conn)) {
	s.leaving.Store(true)
	s.namespace.pids.dropAbsent(s)
	c := s.conn.Load()
	c.parting.Add(1)
	c.session.Do(func() {
		defer c.parting.Add(-1)
		dismiss(c)
	})
}

// Close ends the whole connection, after what was emitted has left, and behind any Disconnect of its
// sockets that was called before. The client sees "transport close" and reconnects by itself: OnDisconnect
// hears "forced close", and the sockets may recover.
func (s *Socket) Close() {
	c := s.conn.Load()
	if c.parting.Load() > 0 {
		c.session.Do(c.session.Close)
		return
	}
	c.session.Close()
}

// gone notes that the socket will not come back.
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
