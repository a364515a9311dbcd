package sio

import (
	"time"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio/packet"
)

// partTimeout is how long a client may take from one part of a binary packet to the next. All parts are held in
// memory until the last one has arrived.
const partTimeout = time.Minute

// assembly puts the binary packets of a connection together.
type assembly struct {
	assembler packet.Assembler
	// timer runs while further parts of a packet are awaited; nil until first needed.
	timer *time.Timer
}

// assembler returns the connection's assembler, and creates it for the first binary packet.
func (c *conn) assembler() *packet.Assembler {
	if c.assembly == nil {
		c.assembly = &assembly{assembler: packet.Assembler{MaxBytes: c.server.maxBinary()}}
	}
	return &c.assembly.assembler
}

// await gives the client partTimeout to send the next part.
func (a *assembly) await(s *engineio.Session) {
	if a.timer == nil {
		a.timer = time.AfterFunc(partTimeout, s.Close)
		return
	}
	a.timer.Reset(partTimeout)
}

func (a *assembly) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}
