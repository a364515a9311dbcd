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

// Connection state recovery: a socket whose connection is lost stays absent for Config.Recovery. What
// is sent to it meanwhile is retained by its old session (engineio, "Retention"). A client that comes
// back shows the socket's pid and the offset of the last event it has got; it gets the rest, in order,
// and keeps its id. See https://socket.io/docs/v4/connection-state-recovery.
//
// Unlike the reference server: middleware always runs again; a client that has not got any event yet,
// or none for long, recovers too; every event carries an offset, volatile ones as well, because clients
// take any string at the end of an event for one; what is kept is bounded; and CONNECT is answered before
// the missed events, not behind them. socket.io-client notes an event's offset only once it is connected:
// if the connection broke between the events and the answer, it would ask for them again, and tell the
// application twice.

// ErrNotRecovered is what middleware returns to make a recovering client connect anew, under a new id.
var ErrNotRecovered = errors.New("sio: not recovered")

// handover is how long a client that is back waits for the end of its old connection, which has only
// its handler to wait for.
const handover = 5 * time.Second

// lastOffset counts events for their offsets. It starts at the time, so that an offset from before a
// restart is never taken for a new one.
var lastOffset atomic.Uint64

func init() { lastOffset.Store(uint64(time.Now().UnixMicro())) }

func newOffset() string { return strconv.FormatUint(lastOffset.Add(1), 36) }

// resumption is what a recovering client adds to its auth payload.
type resumption struct {
	PID    string `json:"pid"`
	Offset string `json:"offset"`
}

// mayResume reports whether the auth payload is worth looking into: most clients are here for the first time.
// A key without escapes stands as it is.
func mayResume(auth []byte) bool {
	return bytes.Contains(auth, []byte(`"pid"`)) || bytes.IndexByte(auth, '\\') >= 0
}

// recoverable reports whether a socket gone for that reason may come back: it is the connection that
// was lost, and nobody wanted to go.
func recoverable(r Reason) bool {
	switch engineio.CloseReason(r) {
	case engineio.ReasonTransportClose, engineio.ReasonTransportError, engineio.ReasonPingTimeout,
		engineio.ReasonForcedClose, engineio.ReasonSlowClient:
		return true
	}
	return false
}

// recover lets the client carry on as a socket that is absent. It reports false if there is none, or
// it cannot: then the client connects anew.
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
	// What is retained is written for the parser that the client had.
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
		// The client may try again, with a better token say.
		n.pids.left(s, claim.until, c.server.config.MaxAbsent)
		c.refuse(n.name, err)
		return true
	}
	s.recovered.Store(true) // before its client can know
	if !old.Resume(c.session, n.name, r.Offset, c.connectPacket(s)) {
		n.pids.drop(s)
		n.disconnected(c, s, lost(s))
		return false
	}
	c.carryOn(n, s)
	return true
}

// lost is why a socket is gone for good that the middleware had let carry on: it has nothing but the connection
// that was lost before, unless somebody sent it away meanwhile.
func lost(s *Socket) Reason {
	if s.leaving.Load() {
		return ReasonServerDisconnect
	}
	return Reason(engineio.ReasonTransportClose)
}

// carryOn makes the connection that of the socket, to which its client has been told so.
func (c *conn) carryOn(n *Namespace, s *Socket) {
	c.stopWaiting()
	delete(c.left, n.name)
	c.add(s)
	s.conn.Store(c)
	s.state.Store(socketConnected)
	if s.leaving.Load() { // Disconnect was called while it was on no connection
		c.dismiss(s)
		return
	}
	n.connected(c, s)
}
