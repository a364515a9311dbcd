package sio

import (
	"errors"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio/msgpack"
	"parley/adapters/socketio/sio/packet"
)

// ErrReservedEvent is returned for emitting an event whose name has a meaning of its own: clients would close the
// connection.
var ErrReservedEvent = errors.New("sio: reserved event name")

// outgoing is an event or an ack to be sent to one client or many.
type outgoing struct {
	packet packet.Packet
	// offset is the last argument of a recoverable event, with which a client says that it has got the event; ""
	// if the event is not recoverable, or asks for an ack.
	offset string
	// mark is the ack id of a recoverable event that asks for an ack; otherwise 0.
	mark uint64
}

// newEvent encodes the arguments of an event; a recoverable one gets an offset as the last of them.
func newEvent(namespace, event string, recoverable bool, args []any) (outgoing, error) {
	if packet.Reserved(event) {
		return outgoing{}, ErrReservedEvent
	}
	all := make([]any, 0, 2+len(args))
	all = append(append(all, event), args...)
	var offset string
	if recoverable {
		offset = newOffset()
		all = append(all, offset)
	}
	o, err := newOutgoing(packet.Event, namespace, all)
	o.offset = offset
	return o, err
}

func newOutgoing(t packet.Type, namespace string, args []any) (outgoing, error) {
	body, attachments, err := packet.MarshalArgs(args...)
	return outgoing{packet: packet.Packet{
		Type: t, Namespace: namespace, Attachments: len(attachments), Data: body, Buffers: attachments,
	}}, err
}

// appendText appends the engine's packets for a client that uses the usual parser: a text, and a copy of each
// attachment.
func (o *outgoing) appendText(packets []*engineio.Packet) []*engineio.Packet {
	buf := textBuffer(o.packet)
	// The payload is the end of the text, so it need not be kept twice.
	o.packet.Data = buf[len(buf)-len(o.packet.Data):]
	packets = append(packets, o.retain(engineio.TextPacket(buf), o.offset))
	for _, a := range o.packet.Buffers {
		buf := append(make([]byte, engineio.Headroom, engineio.Headroom+len(a)), a...)
		packets = append(packets, o.retain(engineio.BinaryPacket(buf), "")) // no offset: it belongs to the text before it
	}
	return packets
}

// frame makes the engine's packet for a client that uses msgpack.
func (o *outgoing) frame() (*engineio.Packet, error) {
	size := len(o.packet.Data) + len(o.packet.Namespace)
	for _, a := range o.packet.Buffers {
		size += len(a)
	}
	buf, err := msgpack.Append(newBuffer(size), o.packet)
	if err != nil {
		return nil, err
	}
	return o.retain(engineio.BinaryPacket(buf), o.offset), nil
}

// retain marks the packet as one that the session remembers for recovery, if it is recoverable.
func (o *outgoing) retain(p *engineio.Packet, offset string) *engineio.Packet {
	switch {
	case o.mark != 0:
		return p.Retain(o.packet.Namespace, "").Mark(o.mark)
	case o.offset == "":
		return p
	}
	return p.Retain(o.packet.Namespace, offset)
}

// encode makes the engine's packets for this connection's client.
func (c *conn) encode(o *outgoing) ([]*engineio.Packet, error) {
	if !c.msgpack {
		return o.appendText(make([]*engineio.Packet, 0, 1+len(o.packet.Buffers))), nil
	}
	frame, err := o.frame()
	if err != nil {
		return nil, err
	}
	return []*engineio.Packet{frame}, nil
}

// reply sends a packet that is neither an event nor an ack.
func (c *conn) reply(t packet.Type, namespace string, payload []byte) {
	c.session.Send(c.replyPacket(t, namespace, payload))
}

func (c *conn) replyPacket(t packet.Type, namespace string, payload []byte) *engineio.Packet {
	p := packet.Packet{Type: t, Namespace: namespace, Data: payload}
	if !c.msgpack {
		return engineio.TextPacket(textBuffer(p))
	}
	// It cannot fail: the payload is the server's own, of the shape that the type requires.
	frame, _ := msgpack.Append(newBuffer(len(payload)+len(namespace)), p)
	return engineio.BinaryPacket(frame)
}

// textBuffer returns the text of a packet in a buffer of exactly its size, because it may be retained for long.
func textBuffer(p packet.Packet) []byte {
	var few [64]byte
	header := packet.AppendHeader(few[:0], p)
	buf := make([]byte, engineio.Headroom, engineio.Headroom+len(header)+len(p.Data))
	return append(append(buf, header...), p.Data...)
}

// newBuffer returns a buffer for a msgpack frame with n bytes of payload, with room for the rest of it.
func newBuffer(n int) []byte { return make([]byte, engineio.Headroom, engineio.Headroom+n+32) }
