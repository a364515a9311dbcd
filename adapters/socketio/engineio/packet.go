package engineio

import (
	"encoding/base64"
	"sync/atomic"

	"parley/adapters/socketio/engineio/websocket"
)

// The packet types of Engine.IO v4, as they stand on the wire.
const (
	typeOpen    = '0'
	typeClose   = '1'
	typePing    = '2'
	typePong    = '3'
	typeMessage = '4'
	typeUpgrade = '5'
	typeNoop    = '6'
	// typeBinary marks a base64 message where bytes must travel as text.
	typeBinary = 'b'
)

// Headroom is how many bytes TextPacket needs free before the payload: the longest frame header and
// the packet type.
const Headroom = websocket.MaxHeaderSize + 1

// Packet is one outgoing Engine.IO packet in its final wire form: the complete WebSocket frame, of
// which the polling form is a part. It is immutable, so one Packet may be sent to any number of
// sessions, and nothing is encoded, compressed or copied per session.
type Packet struct {
	frame []byte
	// body is where the frame's payload begins.
	body     int
	kind     kind
	volatile bool
	// uncompressed is what Uncompressed says.
	uncompressed bool
	// What Retain and Mark have set.
	retained        bool
	channel, offset string
	mark            uint64
	// compression is made when the packet is first sent compressed.
	compression atomic.Pointer[compression]
}

type kind uint8

const (
	kindText kind = iota
	kindBinary
	// kindControl is a WebSocket control frame: it has no polling form.
	kindControl
	// kindResponse is no packet but the HTTP response that goes before all of a WebSocket's.
	kindResponse
)

// TextPacket makes a message of buf, whose first Headroom bytes are free and whose rest is UTF-8
// text. It takes ownership of buf.
func TextPacket(buf []byte) *Packet {
	buf[websocket.MaxHeaderSize] = typeMessage
	return seal(buf, websocket.OpText, kindText)
}

// BinaryPacket makes a binary message of buf, whose first Headroom bytes are free. It takes
// ownership of buf.
func BinaryPacket(buf []byte) *Packet {
	return seal(buf[1:], websocket.OpBinary, kindBinary)
}

// Volatile returns the same packet, sharing its bytes, as one that may be dropped when a session
// reads too slowly.
func (p *Packet) Volatile() *Packet {
	v := p.twin()
	v.volatile = true
	return v
}

// Uncompressed returns the same packet, sharing its bytes, as one that is never compressed, and neither
// is anything that travels in the same answer to a poll. It is for secrets: see "Compression" in the
// package comment.
func (p *Packet) Uncompressed() *Packet {
	u := p.twin()
	u.uncompressed = true
	return u
}

// twin shares the bytes.
func (p *Packet) twin() *Packet {
	return &Packet{
		frame: p.frame, body: p.body, kind: p.kind, volatile: p.volatile, uncompressed: p.uncompressed,
		retained: p.retained, channel: p.channel, offset: p.offset, mark: p.mark,
	}
}

// Len is the size of the packet as a WebSocket frame, in bytes.
func (p *Packet) Len() int { return len(p.frame) }

// seal writes the frame header into the websocket.MaxHeaderSize free bytes right before the payload.
func seal(buf []byte, op websocket.Opcode, k kind) *Packet {
	var scratch [websocket.MaxHeaderSize]byte
	header := websocket.AppendHeader(scratch[:0], op, len(buf)-websocket.MaxHeaderSize)
	start := websocket.MaxHeaderSize - len(header)
	copy(buf[start:], header)
	return &Packet{frame: buf[start:], body: len(header), kind: k}
}

// enginePacket makes a packet of the engine itself: its type, then text.
func enginePacket(packetType byte, text string) *Packet {
	buf := make([]byte, websocket.MaxHeaderSize, websocket.MaxHeaderSize+1+len(text))
	buf = append(buf, packetType)
	buf = append(buf, text...)
	return seal(buf, websocket.OpText, kindText)
}

func controlPacket(op websocket.Opcode, data []byte) *Packet {
	frame := websocket.AppendHeader(make([]byte, 0, 2+len(data)), op, len(data))
	return &Packet{frame: append(frame, data...), kind: kindControl}
}

func responsePacket(response []byte) *Packet {
	return &Packet{frame: response, kind: kindResponse, uncompressed: true}
}

func closePacket(code websocket.CloseCode, reason string) *Packet {
	return &Packet{frame: websocket.AppendClose(nil, code, reason), kind: kindControl}
}

var (
	pingPacket = enginePacket(typePing, "")
	// plainClose carries no code, as the reference server's: clients report 1005.
	plainClose = closePacket(0, "")
	endPacket  = enginePacket(typeClose, "")
	noopPacket = enginePacket(typeNoop, "")
	probePong  = enginePacket(typePong, "probe")
)

// separator stands between the packets of a polling payload (Engine.IO v4, "HTTP long-polling").
const separator = '\x1e'

// appendPolling appends the packet's polling form.
func (p *Packet) appendPolling(dst []byte) []byte {
	body := p.frame[p.body:]
	if p.kind == kindBinary {
		return base64.StdEncoding.AppendEncode(append(dst, typeBinary), body)
	}
	return append(dst, body...)
}

// appendPayload appends the packets as one polling payload. Control frames are left out.
func appendPayload(dst []byte, packets []*Packet) []byte {
	first := true
	for _, p := range packets {
		if p.kind == kindControl {
			continue
		}
		if !first {
			dst = append(dst, separator)
		}
		first = false
		dst = p.appendPolling(dst)
	}
	return dst
}
