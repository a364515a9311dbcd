package sio

import "time"

// SetHandover changes how long clients that have come back wait for their old connections to end.
func (srv *Server) SetHandover(d time.Duration) { srv.handover = d }

// Absent returns how many of the namespace's sockets are absent, and how many there are in all.
func (n *Namespace) Absent() (absent, all int) {
	n.pids.mu.Lock()
	defer n.pids.mu.Unlock()
	return n.pids.absent.Len(), len(n.pids.byPID)
}

// Asked returns how many clients have asked for the socket of that pid.
func (n *Namespace) Asked(pid string) int {
	n.pids.mu.Lock()
	defer n.pids.mu.Unlock()
	if c := n.pids.claims[n.pids.byPID[parsePID(pid)]]; c != nil {
		return c.asked
	}
	return 0
}

// Size returns how many sockets, and how many ids, the rooms remember.
func (r *Rooms) Size() (sockets, ids int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sockets), len(r.byID)
}
