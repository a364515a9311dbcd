package sio

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio/packet"
)

// Connection state recovery: a socket whose connection is lost stays absent for up to Config.Recovery. Its old session
// retains what is sent to it meanwhile (engineio, "Retention"). A client that comes back shows the socket's pid and the
// offset of the last event that it got; it keeps its id and is sent the later events, in order. See
// https://socket.io/docs/v4/connection-state-recovery.
//
// There are differences from the reference server:
//
//   - Middleware always runs again.
//   - A client that has not got any event yet, or none for a long time, recovers too.
//   - What is retained is bounded.
//   - Every event carries an offset, volatile ones too, because clients take any string at the end of an event for one.
//   - CONNECT is answered before the missed events, not after them. socket.io-client notes the offset of an event only
//     once it is connected: if the connection broke between the events and the answer, it would ask for the events
//     again and hand them to the application twice.

// ErrNotRecovered is what middleware returns to make a recovering client connect anew, under a new id.
var ErrNotRecovered = errors.New("sio: not recovered")

// handover is how long a client that has come back waits for its old connection to end. Once closed, that waits
// only for a handler that is running.
const handover = 5 * time.Second

// lastOffset numbers events for their offsets. It starts with the current time, so that an offset from before a
// restart is never mistaken for a newer one.
var lastOffset atomic.Uint64

func init() { lastOffset.Store(uint64(time.Now().UnixMicro())) }

func newOffset() string { return strconv.FormatUint(lastOffset.Add(1), 36) }

// resumption is what a recovering client adds to its auth payload.
type resumption struct {
	PID    string `json:"pid"`
	Offset string `json:"offset"`
}

// mayResume reports whether the auth payload is worth parsing: most clients connect for the first time. A key
// that contains no escapes appears literally.
func mayResume(auth []byte) bool {
	return bytes.Contains(auth, []byte(`"pid"`)) || bytes.IndexByte(auth, '\\') >= 0
}

// recoverable reports whether a socket that disconnected for the reason may come back: only its connection has ended,
// and neither side took the socket out of its namespace.
func recoverable(r Reason) bool {
	switch engineio.CloseReason(r) {
	case engineio.ReasonTransportClose, engineio.ReasonTransportError, engineio.ReasonPingTimeout,
		engineio.ReasonForcedClose, engineio.ReasonSlowClient:
		return true
	}
	return false
}

// recover lets the client carry on as the absent socket whose pid it shows. If there is none, or it cannot
// recover, it reports false: then the client connects anew.
func (c *conn) recover(n *Namespace, p *packet.Packet) (done bool) {
	var r resumption
	if !mayResume(p.Data) || json.Unmarshal(p.Data, &r) != nil || r.PID == "" {
		return false
	}
	claim := n.pids.take(c.server.ctx, parsePID(r.PID), n.name, c.session, c.server.handover)
	if claim == nil {
		return false
	}
	s, old := claim.socket, claim.socket.session()
	// What is retained is encoded for the parser that the client used.
	if claim.socket.conn.Load().msgpack != c.msgpack || !old.CanResume(n.name, r.Offset) {
		n.pids.drop(s)
		return false
	}
	err := c.admit(n, &Connect{Socket: s, Auth: p.Data, Value: c.value, Recovering: true})
	switch {
	case errors.Is(err, ErrNotRecovered):
		n.pids.drop(s)
		return false
	case err != nil:
		// The client may try again, for example with a better token.
		n.pids.keep(s, claim.until, c.server.config.MaxAbsent)
		c.refuse(n.name, err)
		return true
	}
	s.recovered.Store(true) // before the client can see the answer
	if !old.Resume(c.session, n.name, r.Offset, c.connectPacket(s)) {
		n.pids.drop(s)
		n.disconnected(c, s, lostReason(s))
		return false
	}
	c.carryOn(n, s)
	return true
}

// lostReason is the reason for OnDisconnect when a socket that the middleware let recover could not resume: its
// old connection is lost and the new one not its own, unless someone called Disconnect meanwhile.
func lostReason(s *Socket) Reason {
	if s.leaving.Load() {
		return ReasonServerDisconnect
	}
	return Reason(engineio.ReasonTransportClose)
}

// carryOn puts the socket on this connection, after its client has been told.
func (c *conn) carryOn(n *Namespace, s *Socket) {
	c.clearDeadline()
	delete(c.removedFrom, n.name)
	c.add(s)
	s.conn.Store(c)
	s.state.Store(socketConnected)
	switch { // Disconnect or DisconnectAll may have been called while the socket had no connection
	case s.leavingAll.Load():
		c.dismissAll()
	case s.leaving.Load():
		c.dismiss(s)
	default:
		n.connected(c, s)
	}
}
