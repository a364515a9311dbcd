//go:build linux

package swarm

import "parley/test/load/internal/wire"

// resume is what a client knows of its connection to recover it, kept as socket.io-client does: the
// pid of the latest answer to CONNECT, and the offset of the latest event. It belongs to the client's
// loop; the offset's bytes are its own.
type resume struct {
	answer wire.Connection
	offset []byte

	away      bool   // dropped, and not back yet
	recovered bool   // came back in this run as the connection it was
	behind    bool   // back, but without all that has been said meanwhile
	owed      uint64 // behind: the seq up to which it must have all
}

// claim is what a new connection shows of an earlier one.
type claim struct{ pid, offset string }

func (r *resume) claim() claim { return claim{pid: r.answer.PID, offset: string(r.offset)} }

// by takes in the answer to CONNECT and reports whether the connection is recovered: it has the id and
// the secret that it had.
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

// Recovers reports how many open connections the server has promised to recover.
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
