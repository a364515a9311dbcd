//go:build linux

package swarm

import "parley/test/load/internal/wire"

// resume is what a client needs to recover its connection, kept as in socket.io-client: the pid from the latest answer to
// CONNECT, and the offset of the latest event. It belongs to the client's loop. offset is a copy.
type resume struct {
	answer wire.Connection
	offset []byte

	away      bool   // dropped, and not back yet
	recovered bool   // came back in this run as the connection it was
	behind    bool   // back, but still without some of what was sent meanwhile
	owed      uint64 // if behind: the seq up to which it must get everything
}

// claim is what a new connection sends to recover an earlier one; empty if it does not.
type claim struct{ pid, offset string }

func (r *resume) claim() claim { return claim{pid: r.answer.PID, offset: string(r.offset)} }

// by remembers the answer to CONNECT, and reports whether the connection is recovered: whether its id and pid are those it
// had before.
func (r *resume) by(answer wire.Connection) (recovered bool) {
	recovered = answer.PID != "" && answer == r.answer
	r.answer, r.recovered = answer, recovered
	return recovered
}

// note remembers the offset of an event that the client has handled.
func (l *loop) note(c *client, body []byte) {
	if c.resume.answer.PID == "" {
		return
	}
	if offset, ok := wire.ScanOffset(body); ok {
		c.resume.offset = append(c.resume.offset[:0], offset...)
	}
}

// Recovers returns how many open connections have got a pid, which is the server's promise to recover them.
func (s *Swarm) Recovers() (n int) {
	s.each(func(l *loop) {
		for _, c := range s.clients {
			if c.loop == l && c.fd >= 0 && c.resume.answer.PID != "" {
				n++
			}
		}
	})
	return n
}
