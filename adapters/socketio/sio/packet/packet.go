package packet

import (
	"encoding/json"
	"errors"
)

// Type is the kind of a packet: the first character of its text.
type Type byte

// Types of protocol revision 5.
const (
	Connect Type = iota
	Disconnect
	Event
	Ack
	ConnectError
	BinaryEvent
	BinaryAck
)

var typeNames = [...]string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"}

// String is the protocol's name for the type.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown packet type"
}

func (t Type) isBinary() bool { return t == BinaryEvent || t == BinaryAck }

const (
	// RootNamespace is the namespace of a packet that names none.
	RootNamespace = "/"
	// MaxAttachments is the largest number of attachments of a packet: the default of socket.io-parser 4.2.7
	// (CVE-2026-33151), which clients enforce too.
	MaxAttachments = 10
	// MaxArgs is the largest number of elements that an array is split into: an element of two bytes costs a
	// slice header of 24.
	MaxArgs = 1024
)

// The errors of reading a packet. After any of them, close the connection: the reference server does so for all
// of them, except for limits that it does not have.
var (
	ErrUnknownType        = errors.New("packet: unknown packet type")
	ErrIllegalID          = errors.New("packet: illegal ack id")
	ErrInvalidPayload     = errors.New("packet: invalid payload")
	ErrIllegalAttachments = errors.New("packet: illegal attachments")
	ErrTooManyAttachments = errors.New("packet: too many attachments")
	ErrTooManyArgs        = errors.New("packet: too many arguments")
	ErrTooBig             = errors.New("packet: binary packet is too big")
	ErrUnexpectedText     = errors.New("packet: text while attachments are awaited")
	ErrUnexpectedBinary   = errors.New("packet: binary message while no attachment is awaited")
	errDepth              = errors.New("packet: value is nested too deep or contains itself")
	errNotAName           = errors.New("packet: event name is neither a string nor a number")
)

// Packet is one Socket.IO packet.
type Packet struct {
	Type Type
	// Namespace begins with "/". In a packet to be sent, "" means "/" too.
	Namespace string
	// ID is the ack id; it is meaningful only if HasID is set.
	ID    uint64
	HasID bool
	// Attachments is the number of binary attachments of the packet.
	Attachments int
	// Data is the payload, valid JSON of the shape that Type requires; nil if absent. In the result of Decode it
	// aliases the input.
	Data []byte
	// Buffers are the attachments. Only an [Assembler] sets them.
	Buffers [][]byte
}

// Args appends the elements of Data, which alias it, to dst: for an event its name and its arguments, for an ack
// its arguments, for an absent payload nothing. It does not check that Data is valid JSON, as it is after Decode.
// It fails with [ErrTooManyArgs] and [ErrInvalidPayload].
func (p *Packet) Args(dst []json.RawMessage) ([]json.RawMessage, error) {
	if len(p.Data) == 0 {
		return dst, nil
	}
	return split(p.Data, dst)
}
