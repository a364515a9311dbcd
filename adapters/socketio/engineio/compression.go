package engineio

import (
	"sync"

	"parley/adapters/socketio/engineio/websocket"
)

// compression is a packet's compressed form. It is made once, by the first session that writes it to a
// client that takes it; others that come meanwhile wait for it.
type compression struct {
	once sync.Once
	// packet is nil if nothing is gained.
	packet *Packet
}

// compress puts compressed packets in the places of those that are large enough, if the client takes
// them. The caller must not hold the session's mutex.
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

// compressed returns the packet's compressed form, or the packet if there is none: of a control frame, of
// what must not be compressed, and of what would not get smaller.
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
