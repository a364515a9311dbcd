package sio

import (
	"iter"
	"slices"
	"sync"

	"parley/adapters/socketio/engineio"
)

// Prepared is an encoded event of a namespace. It is immutable, and its bytes are shared by all sockets that it
// is sent to. A recoverable one must not be sent to the same socket twice.
type Prepared struct{ *forms }

// forms holds an event in the encoding of each parser. That for msgpack is made when it is first needed.
type forms struct {
	outgoing
	text []*engineio.Packet
	// single is the backing array of text for the usual event, without attachments.
	single [1]*engineio.Packet
	// plain is the event of which this is the volatile variant; otherwise nil.
	plain *forms

	makeFrame sync.Once
	frames    [1]*engineio.Packet
}

func newPrepared(o outgoing) Prepared {
	f := &forms{outgoing: o}
	f.text = f.appendText(f.single[:0])
	return Prepared{f}
}

// Volatile returns the event, sharing its bytes, as one that may be dropped for a socket that reads too slowly.
func (p Prepared) Volatile() Prepared {
	if p.forms == nil {
		return p
	}
	v := &forms{plain: p.forms}
	v.text = v.single[:0]
	for _, e := range p.text {
		v.text = append(v.text, e.Volatile())
	}
	return Prepared{v}
}

// packets returns the event encoded for a connection's parser.
func (p Prepared) packets(msgpack bool) []*engineio.Packet {
	switch {
	case p.forms == nil:
		return nil
	case msgpack:
		return p.msgpack()
	}
	return p.text
}

// msgpack returns the event encoded for clients that use msgpack.
func (f *forms) msgpack() []*engineio.Packet {
	f.makeFrame.Do(func() {
		if f.plain == nil {
			// It cannot fail: newEvent would have reported bad arguments.
			f.frames[0], _ = f.frame()
			return
		}
		if plain := f.plain.msgpack(); len(plain) > 0 {
			f.frames[0] = plain[0].Volatile()
		}
	})
	if f.frames[0] == nil {
		return nil
	}
	return f.frames[:]
}

// Prepare encodes an event of the named namespace; []byte and Binary values in the arguments travel as binary
// data. The error is that of encoding the arguments. On a server with Config.Recovery use PrepareRecoverable,
// because clients take a string at the end of the arguments for an offset.
func Prepare(namespace, event string, args ...any) (Prepared, error) {
	return prepare(namespace, event, false, args)
}

// PrepareRecoverable is Prepare for a server with Config.Recovery: the event gets an offset, as one more
// argument, with which a client that lost its connection says what it has got.
func PrepareRecoverable(namespace, event string, args ...any) (Prepared, error) {
	return prepare(namespace, event, true, args)
}

// PrepareAsking encodes an event that asks each client for an ack, which Namespace.OnAck gets with the id. Unlike
// with Ask, nothing is kept per socket and nobody waits. The id, from 1 to 1<<52, is chosen by the caller. On
// recovery the event is sent again unless it was acked, so a client may get it twice: its arguments should tell
// the client that it is the same event.
func PrepareAsking(namespace, event string, id uint64, args ...any) (Prepared, error) {
	o, err := newEvent(namespace, event, false, args)
	if err != nil {
		return Prepared{}, err
	}
	o.packet.ID, o.packet.HasID = 2*id, true
	o.mark = o.packet.ID
	return newPrepared(o), nil
}

func prepare(namespace, event string, recoverable bool, args []any) (Prepared, error) {
	o, err := newEvent(namespace, event, recoverable, args)
	if err != nil {
		return Prepared{}, err
	}
	return newPrepared(o), nil
}

// Multicast sends the event to each of the sockets that is connected, or absent and may recover. It does not
// block and does no I/O.
func Multicast(to iter.Seq[*Socket], p Prepared) {
	if p.forms == nil {
		return
	}
	var others []*engineio.Session // those whose clients use msgpack
	engineio.Multicast(func(yield func(*engineio.Session) bool) {
		for s := range to {
			if !s.listens() {
				continue
			}
			c := s.conn.Load()
			if c.msgpack {
				others = append(others, c.session)
			} else if !yield(c.session) {
				return
			}
		}
	}, p.text...)
	if len(others) > 0 {
		engineio.Multicast(slices.Values(others), p.msgpack()...)
	}
}
