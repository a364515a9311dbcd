package sio

import (
	"container/list"
	"context"
	"encoding/base64"
	"sync"
	"time"

	"parley/adapters/socketio/engineio"
)

// pids finds the sockets of a namespace that may recover: those that are connected, because a client
// may be back before its old connection is known to be lost, and those that are absent.
type pids struct {
	mu    sync.Mutex
	byPID map[pid]*Socket
	// claims are those of sockets that are absent, or asked for, or were it once: most sockets have none.
	claims map[*Socket]*claim
	// absent lists the claims of absent sockets, the oldest first.
	absent list.List
	closed bool
}

// pid is the secret by which a client may recover a socket: 120 random bits. The zero value is none.
type pid [15]byte

func newPID() pid { return random() }

// parsePID reads what a client shows. What is no pid becomes the zero value, which no client is given.
func parsePID(text string) (p pid) {
	if b, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(b) == len(p) {
		copy(p[:], b)
	}
	return p
}

// append appends the pid as its client reads it.
func (p pid) append(text []byte) []byte { return base64.RawURLEncoding.AppendEncode(text, p[:]) }

// claim is what a client holds by its pid while that is of interest.
type claim struct {
	socket *Socket
	// holder is the connection that the socket is on, or is about to be on; of no use while it is absent.
	holder *engineio.Session
	// place is where the claim stands among the absent; nil while the socket has a holder.
	place *list.Element
	until time.Time
	timer *time.Timer
	// asked counts the clients that want the socket. The latest gets it: the others have lost their
	// connections, or it would not have come.
	asked int
	// gone is closed when the holder has let go, if somebody waits for that.
	gone chan struct{}
}

// connected notes that the socket may recover one day.
func (ps *pids) connected(s *Socket) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.byPID == nil {
		ps.byPID = make(map[pid]*Socket)
		ps.claims = make(map[*Socket]*claim)
	}
	ps.byPID[s.pid] = s
}

// claimLocked returns the socket's claim, which is made for the first who asks. A socket without one is on
// the connection that it began on.
func (ps *pids) claimLocked(s *Socket) *claim {
	c := ps.claims[s]
	if c == nil {
		c = &claim{socket: s, holder: s.session()}
		ps.claims[s] = c
	}
	return c
}

// left keeps the socket, which has no connection any more, until the time given, and at most so many.
func (ps *pids) left(s *Socket, until time.Time, most int) {
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

// drop forgets the socket: its client connects anew if it comes back.
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
	// A timer that could not be stopped in time may find the claim back, with a later one.
	if c.place != nil && !time.Now().Before(c.until) {
		ps.dropLocked(c.socket)
	}
}

// dropLocked forgets a socket that is known.
func (ps *pids) dropLocked(s *Socket) {
	c := ps.claims[s]
	if c != nil {
		ps.hold(c, nil)
	}
	delete(ps.byPID, s.pid)
	delete(ps.claims, s)
	s.gone()
	if c != nil {
		c.letGo()
	}
}

// hold takes the claim from the absent.
func (ps *pids) hold(c *claim, holder *engineio.Session) {
	if c.place != nil {
		c.timer.Stop()
		ps.absent.Remove(c.place)
		c.place, c.timer = nil, nil
	}
	c.holder = holder
}

func (c *claim) letGo() {
	if c.gone != nil {
		close(c.gone)
		c.gone = nil
	}
}

// take hands the socket of that namespace to the connection that claims it; nil if there is none. If
// another connection has it, that is closed first: only a client that has lost it comes back on another.
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
	ps.hold(c, by)
	return c
}

// awaitLocked ends the holder's connection and waits until it has let go. It gives up the lock
// meanwhile.
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

// close drops all and keeps no more.
func (ps *pids) close() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.closed = true
	for ps.absent.Len() > 0 {
		ps.dropLocked(ps.absent.Front().Value.(*claim).socket)
	}
}
