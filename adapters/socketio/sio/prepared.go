package sio

import (
	"iter"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio/packet"
)

// Prepared is an event encoded for its namespace. It is immutable and may be sent to any number of
// sockets, once to each if it is recoverable: its bytes are shared.
type Prepared struct{ packets []*engineio.Packet }

// Volatile returns the event, sharing its bytes, as one that may be dropped for a socket that reads
// too slowly.
func (p Prepared) Volatile() Prepared {
	packets := make([]*engineio.Packet, len(p.packets))
	for i, e := range p.packets {
		packets[i] = e.Volatile()
	}
	return Prepared{packets}
}

// Prepare encodes an event of the namespace of that name; []byte and Binary in the arguments travel as
// binary data. The error is that of encoding the arguments. On a server with Config.Recovery, use
// PrepareRecoverable: clients would take a string at the end of the arguments for an offset.
func Prepare(namespace, event string, args ...any) (Prepared, error) {
	return prepare(namespace, event, false, args...)
}

// PrepareRecoverable is Prepare for a server with Config.Recovery: the event gets an offset, as one
// more argument, by which a client that lost its connection tells what it has got.
func PrepareRecoverable(namespace, event string, args ...any) (Prepared, error) {
	return prepare(namespace, event, true, args...)
}

func prepare(namespace, event string, recoverable bool, args ...any) (Prepared, error) {
	all := make([]any, 0, 2+len(args))
	all = append(append(all, event), args...)
	var offset string
	if recoverable {
		offset = newOffset()
		all = append(all, offset)
	}
	body, attachments, err := packet.MarshalArgs(all...)
	if err != nil {
		return Prepared{}, err
	}
	buf := newBuffer(len(body) + len(namespace))
	p := prepared(packet.AppendEvent(buf, namespace, nil, len(attachments), body), attachments)
	if recoverable {
		for i, e := range p.packets {
			if i > 0 {
				offset = "" // attachments belong to the packet before them
			}
			e.Retain(namespace, offset)
		}
	}
	return p, nil
}

// prepared makes the engine's packets of an encoded packet, which it takes over, and copies of its
// attachments.
func prepared(text []byte, attachments [][]byte) Prepared {
	packets := make([]*engineio.Packet, 1, 1+len(attachments))
	packets[0] = engineio.TextPacket(text)
	for _, a := range attachments {
		packets = append(packets, engineio.BinaryPacket(append(make([]byte, engineio.Headroom, engineio.Headroom+len(a)), a...)))
	}
	return Prepared{packets}
}

// Multicast sends the event to each socket that is connected. It does not block and does no I/O.
func Multicast(to iter.Seq[*Socket], p Prepared) {
	engineio.Multicast(func(yield func(*engineio.Session) bool) {
		for s := range to {
			if s.listens() && !yield(s.session()) {
				return
			}
		}
	}, p.packets...)
}
