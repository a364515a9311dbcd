package engineio

import (
	"encoding/base64"
	"sync/atomic"

	"parley/adapters/socketio/engineio/websocket"
)

// The packet types of Engine.IO v4, as they appear on the wire.
const (
	typeOpen    = '0'
	typeClose   = '1'
	typePing    = '2'
	typePong    = '3'
	typeMessage = '4'
	typeUpgrade = '5'
	typeNoop    = '6'
	// typeBinary marks a binary message in base64, where bytes must travel as text.
	typeBinary = 'b'
)

// Headroom is how many free bytes TextPacket and BinaryPacket need before the payload: the longest frame header and the
// packet type.
const Headroom = websocket.MaxHeaderSize + 1

// Packet is one outgoing Engine.IO packet in its final wire form: the complete WebSocket frame, which contains the
// polling form. It is immutable once sent, so one Packet may be sent to any number of sessions, and nothing is encoded,
// compressed or copied per session.
type Packet struct {
	frame []byte
	// body is the offset of the frame's payload.
	body     int
	kind     kind
	volatile bool
	// uncompressed: never compress it; see Uncompressed.
	uncompressed bool
	// Set by Retain and Mark.
	retained        bool
	channel, offset string
	mark            uint64
	// compression is created when the packet is first to be sent compressed.
	compression atomic.Pointer[compression]
}

type kind uint8

const (
	kindText kind = iota
	kindBinary
	// kindControl is a WebSocket control frame: it has no polling form.
	kindControl
	// kindResponse is not a packet but the HTTP response that precedes the packets of a WebSocket.
	kindResponse
)

// TextPacket makes a message of buf, of which the first Headroom bytes are free and the rest is UTF-8 text. It takes
// ownership of buf.
func TextPacket(buf []byte) *Packet {
	buf[websocket.MaxHeaderSize] = typeMessage
	return seal(buf, websocket.OpText, kindText)
}

// BinaryPacket makes a binary message of buf, of which the first Headroom bytes are free. It takes ownership of buf.
func BinaryPacket(buf []byte) *Packet {
	return seal(buf[1:], websocket.OpBinary, kindBinary)
}

// Volatile returns a packet with the same bytes, shared, that may be dropped when a client reads too slowly.
func (p *Packet) Volatile() *Packet {
	v := p.twin()
	v.volatile = true
	return v
}

// Uncompressed returns a packet with the same bytes, shared, that is never compressed, and neither is anything in the
// same answer to a poll. It is for secrets: see "Compression" in the package comment.
func (p *Packet) Uncompressed() *Packet {
	u := p.twin()
	u.uncompressed = true
	return u
}

// twin returns a copy that shares the bytes.
func (p *Packet) twin() *Packet {
	return &Packet{
		frame: p.frame, body: p.body, kind: p.kind, volatile: p.volatile, uncompressed: p.uncompressed,
		retained: p.retained, channel: p.channel, offset: p.offset, mark: p.mark,
	}
}

// Len returns the size of the packet as a WebSocket frame, in bytes.
func (p *Packet) Len() int { return len(p.frame) }

// seal writes the frame header right before the payload, into the websocket.MaxHeaderSize free bytes of buf.
func seal(buf []byte, op websocket.Opcode, k kind) *Packet {
	var scratch [websocket.MaxHeaderSize]byte
	header := websocket.AppendHeader(scratch[:0], op, len(buf)-websocket.MaxHeaderSize)
	start := websocket.MaxHeaderSize - len(header)
	copy(buf[start:], header)
	return &Packet{frame: buf[start:], body: len(header), kind: k}
}

// enginePacket makes a packet of the engine's own: its type, then text.
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
	// plainClose carries no code, like the reference server's; clients report 1005.
	plainClose = closePacket(0, "")
	endPacket  = enginePacket(typeClose, "")
	noopPacket = enginePacket(typeNoop, "")
	probePong  = enginePacket(typePong, "probe")
)

// separator separates the packets of a polling payload ([protocol], "HTTP long-polling").
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
