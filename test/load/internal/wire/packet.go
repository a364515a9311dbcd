package wire

import (
	"bytes"
	"strconv"
)

// Kind says what a text packet is, in both protocols: its Engine.IO type, or for an Engine.IO message its Socket.IO type.
type Kind uint8

// The kinds a client of the default namespace receives.
const (
	Unknown      Kind = iota
	Open              // Engine.IO 0, body: JSON
	Close             // Engine.IO 1
	Ping              // Engine.IO 2
	Noop              // Engine.IO 6
	Connected         // Socket.IO 40, body: JSON with sid
	Disconnected      // Socket.IO 41
	Event             // Socket.IO 42, body: JSON array
	Ack               // Socket.IO 43, body: JSON array, with ID
	Refused           // Socket.IO 44 (CONNECT_ERROR), body: JSON
)

// NoID is the ID of a packet that carries none.
const NoID = -1

// Packet is one text packet of the default namespace. Body is a part of the bytes that were parsed.
type Packet struct {
	Kind Kind
	ID   int64
	Body []byte
}

// ParsePacket reads an Engine.IO v4 text packet and, in it, a Socket.IO v5 packet of the default
// namespace. What it does not know comes back as Unknown.
func ParsePacket(text []byte) Packet {
	if len(text) == 0 {
		return Packet{ID: NoID}
	}
	p := Packet{ID: NoID, Body: text[1:]}
	switch text[0] {
	case '0':
		p.Kind = Open
	case '1':
		p.Kind = Close
	case '2':
		p.Kind = Ping
	case '6':
		p.Kind = Noop
	case '4':
		return parseSocketIO(text[1:])
	}
	return p
}

func parseSocketIO(b []byte) Packet {
	if len(b) == 0 {
		return Packet{ID: NoID}
	}
	p := Packet{ID: NoID, Body: b[1:]}
	switch b[0] {
	case '0':
		p.Kind = Connected
	case '1':
		p.Kind = Disconnected
	case '2':
		p.Kind = Event
	case '3':
		p.Kind = Ack
	case '4':
		p.Kind = Refused
	default:
		return p
	}
	if p.Kind == Event || p.Kind == Ack {
		p.ID, p.Body = cutID(p.Body)
	}
	if p.Kind == Ack && p.ID == NoID {
		p.Kind = Unknown
	}
	return p
}

// cutID takes the digits before the payload. More than 18 are not an id of ours.
func cutID(b []byte) (int64, []byte) {
	var id int64
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		id = id*10 + int64(b[n]-'0')
		n++
	}
	if n == 0 || n > 18 {
		return NoID, b
	}
	return id, b[n:]
}

// EventName returns the name of an event's body, `["name",…]`, or nil. Names with escapes are
// returned as they stand on the wire.
func EventName(body []byte) []byte {
	if len(body) < 3 || body[0] != '[' || body[1] != '"' {
		return nil
	}
	end := bytes.IndexByte(body[2:], '"')
	if end < 0 {
		return nil
	}
	return body[2 : 2+end]
}

// AppendEvent appends the text of an event with an ack id, or NoID, and one argument, which is JSON.
func AppendEvent(dst []byte, id int64, name string, argument []byte) []byte {
	dst = append(dst, "42"...)
	if id != NoID {
		dst = strconv.AppendInt(dst, id, 10)
	}
	dst = append(dst, `["`...)
	dst = append(dst, name...)
	dst = append(dst, `",`...)
	dst = append(dst, argument...)
	return append(dst, ']')
}
