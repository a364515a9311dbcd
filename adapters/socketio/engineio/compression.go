package engineio

import (
	"sync"

	"parley/adapters/socketio/engineio/websocket"
)

// compression is a packet's compressed form. It is made once, by the first session that writes the packet to a client
// that accepts compression; other sessions that need it meanwhile wait for it.
type compression struct {
	once sync.Once
	// packet is nil if compression gains nothing.
	packet *Packet
}

// compress replaces the packets that are large enough with their compressed forms, if the client accepts compression.
// The caller must not hold the session's mutex.
func (s *Session) compress(packets []*Packet) {
	if s.ws.deflate == 0 {
		return
	}
	for i, p := range packets {
		if size := len(p.frame) - p.body; size >= s.server.config.PerMessageDeflate && size <= s.ws.deflate {
			packets[i] = p.compressed()
		}
	}
}

// compressed returns the packet's compressed form. It returns the packet itself if it is a control frame, must not be
// compressed, or would not get smaller.
func (p *Packet) compressed() *Packet {
	if p.kind == kindControl || p.uncompressed {
		return p
	}
	c := p.compression.Load()
	if c == nil {
		p.compression.CompareAndSwap(nil, new(compression))
		c = p.compression.Load()
	}
	c.once.Do(func() {
		op := websocket.OpText
		if p.kind == kindBinary {
			op = websocket.OpBinary
		}
		if frame, ok := websocket.AppendDeflated(nil, op, p.frame[p.body:]); ok {
			c.packet = &Packet{frame: frame, uncompressed: true}
		}
	})
	if c.packet == nil {
		return p
	}
	return c.packet
}
