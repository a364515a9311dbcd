package packet

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
)

// Decode reads the text of a packet. The result aliases it.
//
// The payload is checked as socket.io-parser checks it: CONNECT has an object or nothing, DISCONNECT nothing,
// CONNECT_ERROR a string, an object or nothing, an event an array that begins with a number or with a string that
// is not reserved, or nothing, an ack an array or nothing. White space around the payload is cut off; the
// reference parser takes white space before it for digits of an ack id.
func Decode(text []byte) (Packet, error) {
	if len(text) == 0 || text[0] < '0' || text[0] > '0'+byte(BinaryAck) {
		return Packet{}, ErrUnknownType
	}
	p, rest := Packet{Type: Type(text[0] - '0')}, text[1:]
	var err error
	if p.Type.isBinary() {
		if p.Attachments, rest, err = cutAttachments(rest); err != nil {
			return Packet{}, err
		}
	}
	p.Namespace, rest = cutNamespace(rest)
	if p.ID, p.HasID, rest, err = cutID(rest); err != nil {
		return Packet{}, err
	}
	rest = trimSpace(rest)
	if !validPayload(p.Type, rest) {
		return Packet{}, ErrInvalidPayload
	}
	if len(rest) > 0 {
		p.Data = rest
	}
	return p, nil
}

// cutAttachments reads "<n>-" with n from 1 to MaxAttachments, without leading zeros.
func cutAttachments(text []byte) (int, []byte, error) {
	n := 0
	for i, c := range text {
		switch {
		case c == '-' && n > 0:
			return n, text[i+1:], nil
		case c < '0' || c > '9' || c == '0' && n == 0:
			return 0, nil, ErrIllegalAttachments
		}
		if n = n*10 + int(c-'0'); n > MaxAttachments {
			return 0, nil, ErrTooManyAttachments
		}
	}
	return 0, nil, ErrIllegalAttachments
}

// cutNamespace reads a namespace up to its comma; without a comma, the whole text is the name.
func cutNamespace(text []byte) (string, []byte) {
	if len(text) == 0 || text[0] != '/' {
		return RootNamespace, text
	}
	name, rest, _ := bytes.Cut(text, []byte{','})
	if len(name) == 1 {
		return RootNamespace, rest
	}
	return string(name), rest
}

// cutID reads the digits of an ack id.
func cutID(text []byte) (id uint64, has bool, rest []byte, err error) {
	for i, c := range text {
		if c < '0' || c > '9' {
			return id, i > 0, text[i:], nil
		}
		digit := uint64(c - '0')
		if id > (math.MaxUint64-digit)/10 {
			return 0, false, nil, ErrIllegalID
		}
		id = id*10 + digit
	}
	return id, len(text) > 0, nil, nil
}

// validPayload checks the first bytes before it reads all of the JSON.
func validPayload(t Type, data []byte) bool {
	if len(data) == 0 {
		return true
	}
	switch first := data[0]; t {
	case Connect:
		return first == '{' && json.Valid(data)
	case ConnectError:
		return (first == '{' || first == '"') && json.Valid(data)
	case Event, BinaryEvent:
		return first == '[' && json.Valid(data) && startsWithName(data)
	case Ack, BinaryAck:
		return first == '[' && json.Valid(data)
	default: // Disconnect
		return false
	}
}

// startsWithName reports whether a valid array begins with an event name.
func startsWithName(array []byte) bool {
	start := skipSpace(array, 1)
	first := array[start:endOfValue(array, start)]
	if isNumber(first) {
		return true
	}
	if !isString(first) {
		return false
	}
	for _, name := range reserved {
		if spells(first, name) {
			return false
		}
	}
	return true
}

// Reserved reports whether applications must not use the event name: clients would close the connection.
func Reserved(event string) bool { return slices.Contains(reserved[:], event) }

// reserved are the event names that applications must not use, because clients or the reference server give them
// a meaning of their own.
var reserved = [...]string{
	"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
}
