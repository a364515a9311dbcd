package packet

import "bytes"

// DefaultMaxBytes is the limit of an [Assembler] whose MaxBytes is not set: as many bytes as the reference server
// accepts with its own defaults, which are 1,000,000 for each message.
const DefaultMaxBytes = MaxAttachments * 1_000_000

// Assembler turns the messages of one connection, in the order in which they come, into packets. The zero value
// is ready to use. It must not be used by more than one goroutine at a time.
//
// Any error means that the client violated the protocol: close the connection. An unfinished packet is dropped.
type Assembler struct {
	// MaxBytes bounds a binary packet: its text and all its attachments together. Zero or less means
	// DefaultMaxBytes. Packets without attachments are not held, so only the transport limits them.
	MaxBytes int

	// pending is the packet whose attachments are awaited; nil most of the time.
	pending *Packet
	size    int
}

// Text takes a text message. If whole is true, p is a packet that aliases text. If it is false, p is empty: the
// packet is held until its attachments have come.
//
// It fails as [Decode] does, with [ErrUnexpectedText] while attachments are awaited, with [ErrIllegalAttachments]
// if a placeholder refers to none of them, and with [ErrTooBig].
func (a *Assembler) Text(text []byte) (p Packet, whole bool, err error) {
	if a.pending != nil {
		a.drop()
		return Packet{}, false, ErrUnexpectedText
	}
	if p, err = Decode(text); err != nil || p.Attachments == 0 {
		return p, err == nil, err
	}
	if len(text) > a.limit() {
		return Packet{}, false, ErrTooBig
	}
	// The reference parser notices a bad placeholder only once the last attachment has arrived.
	if err := checkPlaceholders(p.Data, p.Attachments); err != nil {
		return Packet{}, false, err
	}
	held := p
	held.Data = bytes.Clone(p.Data)
	a.pending, a.size = &held, len(text)
	return Packet{}, false, nil
}

// Binary takes a binary message and copies it. If whole is true, it was the last attachment and p is the packet,
// of type [Event] or [Ack], with Buffers.
//
// It fails with [ErrUnexpectedBinary] if no attachment is awaited, and with [ErrTooBig].
func (a *Assembler) Binary(data []byte) (p Packet, whole bool, err error) {
	if a.pending == nil {
		return Packet{}, false, ErrUnexpectedBinary
	}
	if len(data) > a.limit()-a.size {
		a.drop()
		return Packet{}, false, ErrTooBig
	}
	a.size += len(data)
	// append to an empty slice, not to nil, so that an empty attachment does not become nil.
	a.pending.Buffers = append(a.pending.Buffers, append([]byte{}, data...))
	if len(a.pending.Buffers) < a.pending.Attachments {
		return Packet{}, false, nil
	}
	p = *a.pending
	a.drop()
	if p.Type == BinaryEvent {
		p.Type = Event
	} else {
		p.Type = Ack
	}
	return p, true, nil
}

// Pending reports whether attachments are awaited. A client may leave a packet unfinished forever; when to give
// up is the caller's decision.
func (a *Assembler) Pending() bool { return a.pending != nil }

func (a *Assembler) drop() { a.pending, a.size = nil, 0 }

func (a *Assembler) limit() int {
	if a.MaxBytes <= 0 {
		return DefaultMaxBytes
	}
	return a.MaxBytes
}
