package sio

import (
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
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
// take any string at the end of an event for one; and what is kept is bounded.

// ErrNotRecovered is what middleware returns to make a recovering client connect anew, under a new id.
var ErrNotRecovered = errors.New("sio: not recovered")

// maxAbsent bounds how many sockets of a namespace may be absent. One more takes the place of another.
const maxAbsent = 50_000

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

// pids finds the sockets of a namespace that may recover: those that are connected, because a client
// may be back before its old connection is known to be lost, and those that are absent.
type pids struct {
	mu    sync.Mutex
	byPID map[string]*claim
	// absent lists the claims of absent sockets, the oldest first.
	absent list.List
	closed bool
}

// claim is what a client holds by its pid.
type claim struct {
	socket *Socket
	// place is where the claim stands among the absent; nil while the socket is connected.
	place *list.Element
	until time.Time
	timer *time.Timer
	// gone is closed when the socket becomes absent, if somebody waits for that.
	gone chan struct{}
}

// connected notes that the socket may recover one day.
func (ps *pids) connected(s *Socket) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.byPID == nil {
		ps.byPID = make(map[string]*claim)
	}
	ps.byPID[s.pid] = &claim{socket: s}
}

// left keeps the socket until the time given, which the zero time means not to.
func (ps *pids) left(s *Socket, until time.Time) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	c := ps.byPID[s.pid]
	if c == nil {
		c = &claim{socket: s}
	}
	if c.gone != nil {
		close(c.gone)
		c.gone = nil
	}
	if until.IsZero() || ps.closed {
		ps.dropLocked(c)
		return
	}
	if ps.absent.Len() >= maxAbsent {
		ps.dropLocked(ps.absent.Front().Value.(*claim))
	}
	c.until = until
	c.place = ps.absent.PushBack(c)
	c.timer = time.AfterFunc(time.Until(until), func() { ps.expire(c) })
	ps.byPID[s.pid] = c
}

func (ps *pids) expire(c *claim) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.byPID[c.socket.pid] == c && c.place != nil {
		ps.dropLocked(c)
	}
}

func (ps *pids) dropLocked(c *claim) {
	ps.forgetLocked(c)
	c.socket.state.Store(socketGone)
}

func (ps *pids) forgetLocked(c *claim) {
	if c.place != nil {
		c.timer.Stop()
		ps.absent.Remove(c.place)
		c.place = nil
	}
	delete(ps.byPID, c.socket.pid)
}

// take hands the socket to the one client that claims it; nil if there is none. If it is connected its
// connection is closed first: only a client that has lost it comes back on another.
func (ps *pids) take(ctx context.Context, pid string) *claim {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	c := ps.byPID[pid]
	if c == nil {
		return nil
	}
	if c.place == nil {
		if c.gone != nil {
			return nil // somebody else claims it already
		}
		gone := make(chan struct{})
		c.gone = gone
		ps.mu.Unlock()
		c.socket.Close()
		wait(ctx, gone)
		ps.mu.Lock()
		if ps.byPID[pid] != c || c.place == nil {
			return nil
		}
	}
	ps.forgetLocked(c)
	return c
}

// handover is how long a client that is back waits for the end of its old connection, which has only
// its handler to wait for.
const handover = 5 * time.Second

func wait(ctx context.Context, done <-chan struct{}) {
	timer := time.NewTimer(handover)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// close drops all and keeps no more.
func (ps *pids) close() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.closed = true
	for ps.absent.Len() > 0 {
		ps.dropLocked(ps.absent.Front().Value.(*claim))
	}
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
	if json.Unmarshal(p.Data, &r) != nil || r.PID == "" {
		return false
	}
	claim := n.pids.take(c.server.ctx, r.PID)
	if claim == nil {
		return false
	}
	s, old := claim.socket, claim.socket.session()
	if s.namespace.name != n.name || !old.CanResume(n.name, r.Offset) {
		s.state.Store(socketGone)
		return false
	}
	err := c.admit(n, &Connect{Socket: s, Auth: p.Data, Value: c.value, Recovering: true})
	switch {
	case errors.Is(err, ErrNotRecovered):
		s.state.Store(socketGone)
		return false
	case err != nil:
		// The client may try again, with a better token say.
		n.pids.left(s, claim.until)
		c.refuse(n.name, err)
		return true
	}
	if !old.Resume(c.session, n.name, r.Offset, connectPacket(s)) {
		s.state.Store(socketGone)
		n.disconnected(c, s, ReasonServerDisconnect)
		return false
	}
	c.stopWaiting()
	delete(c.left, n.name)
	c.add(s)
	s.conn.Store(c)
	s.recovered = true
	s.debts.reopen()
	s.state.Store(socketConnected)
	n.pids.connected(s)
	n.connected(c, s)
	return true
}
