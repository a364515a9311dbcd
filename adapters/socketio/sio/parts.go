package sio

import (
	"time"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio/packet"
)

// partTimeout is how long a client may take from one part of a binary packet to the next. Until the
// last one is here, all are kept in memory.
const partTimeout = time.Minute

// parts puts the binary packets of a connection together.
type parts struct {
	assembler packet.Assembler
	// timer runs while parts of a packet are awaited; nil until it has to.
	timer *time.Timer
}

// assembler returns what puts binary packets together, and makes it if need be.
func (c *conn) assembler() *packet.Assembler {
	if c.parts == nil {
		c.parts = &parts{assembler: packet.Assembler{MaxBytes: c.server.maxBinary()}}
	}
	return &c.parts.assembler
}

// await gives the client partTimeout to go on with its packet.
func (p *parts) await(s *engineio.Session) {
	if p.timer == nil {
		p.timer = time.AfterFunc(partTimeout, s.Close)
		return
	}
	p.timer.Reset(partTimeout)
}

func (p *parts) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}
