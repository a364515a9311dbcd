package sio

import (
	"container/list"
	"context"
	"encoding/base64"
	"sync"
	"time"

	"parley/adapters/socketio/engineio"
)

// pids finds the sockets of a namespace that may recover: absent ones, and connected ones too, because a client
// may be back before the loss of its old connection is noticed.
type pids struct {
	// mu may be held when Rooms.mu is taken, never the other way round.
	mu    sync.Mutex
	byPID map[pid]*Socket
	// claims exist for sockets that are absent, that are being asked for, or that once were either: most have
	// none.
	claims map[*Socket]*claim
	// absent lists the claims of absent sockets, oldest first.
	absent list.List
	closed bool
}

// pid is the secret with which a client may recover a socket: 120 random bits. The zero value is no pid.
type pid [15]byte

func newPID() pid { return random() }

// parsePID reads what a client shows. Anything but a pid becomes the zero value, which no client is ever given.
func parsePID(text string) (p pid) {
	if b, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(b) == len(p) {
		copy(p[:], b)
	}
	return p
}

// append appends the text form of the pid that clients are given.
func (p pid) append(text []byte) []byte { return base64.RawURLEncoding.AppendEncode(text, p[:]) }

// claim says which connection, if any, a socket is on.
type claim struct {
	socket *Socket
	// holder is the session that the socket is on or about to be on; meaningless while the socket is absent.
	holder *engineio.Session
	// place is the claim's element in pids.absent; nil while the socket has a holder.
	place *list.Element
	until time.Time
	timer *time.Timer
	// asked counts the clients that have asked for the socket. The latest one gets it: a client asks again only
	// when it has lost the connection on which it asked before.
	asked int
	// gone is closed when the holder has let go of the socket; nil unless someone waits for that.
	gone chan struct{}
}

// add records that the socket, which has connected, may recover.
func (ps *pids) add(s *Socket) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.byPID == nil {
		ps.byPID = make(map[pid]*Socket)
		ps.claims = make(map[*Socket]*claim)
	}
	ps.byPID[s.pid] = s
}

// claimLocked returns the socket's claim, and creates it if necessary. A socket without a claim is on the
// connection that it began on.
func (ps *pids) claimLocked(s *Socket) *claim {
	c := ps.claims[s]
	if c == nil {
		c = &claim{socket: s, holder: s.session()}
		ps.claims[s] = c
	}
	return c
}

// keep keeps the socket, which has lost its connection, as an absent one until the given time. If most sockets
// are absent already, it gives up the one that has been absent longest.
func (ps *pids) keep(s *Socket, until time.Time, most int) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	switch {
	case ps.byPID[s.pid] == nil:
		s.gone()
	case ps.closed || s.leaving.Load():
		ps.dropLocked(s)
	default:
		if ps.absent.Len() >= most {
			ps.dropLocked(ps.absent.Front().Value.(*claim).socket)
		}
		c := ps.claimLocked(s)
		c.until = until
		c.place = ps.absent.PushBack(c)
		c.timer = time.AfterFunc(time.Until(until), func() { ps.expire(c) })
		c.letGo()
	}
}

// drop forgets the socket: if its client comes back, it connects anew.
func (ps *pids) drop(s *Socket) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.byPID[s.pid] == nil {
		s.gone()
		return
	}
	ps.dropLocked(s)
}

// dropAbsent forgets the socket if it is absent.
func (ps *pids) dropAbsent(s *Socket) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if c := ps.claims[s]; c != nil && c.place != nil {
		ps.dropLocked(s)
	}
}

func (ps *pids) expire(c *claim) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	// Stopping the timer may have come too late: the socket may be connected, or absent again with a later end.
	if c.place != nil && !time.Now().Before(c.until) {
		ps.dropLocked(c.socket)
	}
}

// dropLocked forgets a socket that is in byPID.
func (ps *pids) dropLocked(s *Socket) {
	c := ps.claims[s]
	if c != nil {
		ps.holdLocked(c, nil)
	}
	delete(ps.byPID, s.pid)
	delete(ps.claims, s)
	s.gone()
	if c != nil {
		c.letGo()
	}
}

// holdLocked gives the claim a holder; the socket is no longer absent.
func (ps *pids) holdLocked(c *claim, holder *engineio.Session) {
	if c.place != nil {
		c.timer.Stop()
		ps.absent.Remove(c.place)
		c.place, c.timer = nil, nil
	}
	c.holder = holder
}

// letGo tells those who wait that the holder has let go. The lock of pids is held.
func (c *claim) letGo() {
	if c.gone != nil {
		close(c.gone)
		c.gone = nil
	}
}

// take gives the socket with the pid, in the namespace, to the session that asks for it; nil if there is none. If
// the socket is on another connection, that is closed first: a client comes back on another connection only after
// it has lost the old one. take waits for the end of the old connection, but no longer than patience.
func (ps *pids) take(ctx context.Context, p pid, namespace string, by *engineio.Session, patience time.Duration) *claim {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	s := ps.byPID[p]
	if s == nil || s.namespace.name != namespace {
		return nil
	}
	c := ps.claimLocked(s)
	if c.holder == by && c.place == nil {
		return nil
	}
	c.asked++
	if mine := c.asked; c.place == nil {
		ps.awaitLocked(ctx, c, patience)
		if c.place == nil || c.asked != mine {
			return nil
		}
	}
	ps.holdLocked(c, by)
	return c
}

// awaitLocked closes the holder and waits until it has let go. The lock is released meanwhile.
func (ps *pids) awaitLocked(ctx context.Context, c *claim, patience time.Duration) {
	if c.gone == nil {
		c.gone = make(chan struct{})
	}
	gone, holder := c.gone, c.holder
	ps.mu.Unlock()
	defer ps.mu.Lock()
	holder.Close()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-gone:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// close drops all absent sockets, and those that become absent later.
func (ps *pids) close() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.closed = true
	for ps.absent.Len() > 0 {
		ps.dropLocked(ps.absent.Front().Value.(*claim).socket)
	}
}
