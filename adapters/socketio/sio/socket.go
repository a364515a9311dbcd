package sio

import (
	"crypto/rand"
	"encoding/base64"
	"sync/atomic"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio/packet"
)

// Reason says why a socket is gone, in the reference server's words where it has one.
type Reason string

// The reasons beside those of the engine, which are passed on as they are.
const (
	// ReasonClientDisconnect: the client left the namespace, or said goodbye.
	ReasonClientDisconnect Reason = "client namespace disconnect"
	// ReasonServerDisconnect: Socket.Disconnect was called.
	ReasonServerDisconnect Reason = "server namespace disconnect"
)

// Socket is one client in one namespace.
type Socket struct {
	conn      *conn
	namespace *Namespace
	id        string
	// connected is true from the CONNECT answer until the end. It changes on the connection's turn,
	// and may be read by anyone.
	connected atomic.Bool
	// leaving is true from the call of Disconnect: what the client sends after it is ignored.
	leaving atomic.Bool
}

// ID names the socket. It is no secret: it may be shown to other clients.
func (s *Socket) ID() string { return s.id }

// Namespace is where the socket is connected.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Transport names the transport in use: engineio.Polling or engineio.WebSocket.
func (s *Socket) Transport() string { return s.conn.session.Transport() }

// Emit sends an event. To a socket that is gone it sends nothing. The error is that of encoding the
// arguments.
func (s *Socket) Emit(event string, args ...any) error {
	p, err := Prepare(s.namespace.name, event, args...)
	if err != nil {
		return err
	}
	s.Send(p)
	return nil
}

// Send sends a prepared event of the socket's namespace.
func (s *Socket) Send(p Prepared) {
	if s.connected.Load() {
		s.conn.session.Send(p.packets...)
	}
}

// answer sends an ack.
func (s *Socket) answer(p Prepared) {
	if s.connected.Load() {
		s.conn.session.Answer(p.packets...)
	}
}

// Disconnect takes the socket out of its namespace, after what was emitted has left. From now on no
// event of the client is handled. The client does not come back by itself.
func (s *Socket) Disconnect() {
	s.leaving.Store(true)
	s.conn.session.Do(func() {
		if s.connected.Load() {
			s.conn.session.Send(textPacket(packet.AppendDisconnect, s.namespace.name))
			s.conn.leave(s, ReasonServerDisconnect)
		}
	})
}

// Close ends the whole connection, after what was emitted has left. The client sees "transport close"
// and reconnects by itself.
func (s *Socket) Close() { s.conn.session.Close() }

// newSocketID returns 120 random bits as 20 characters, like the reference server's.
func newSocketID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// textPacket encodes a packet that consists of its namespace alone.
func textPacket(appendTo func([]byte, string) []byte, namespace string) *engineio.Packet {
	return engineio.TextPacket(appendTo(make([]byte, engineio.Headroom, 64), namespace))
}
