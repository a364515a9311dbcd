package sio

import (
	"iter"
	"slices"
	"sync"

	"parley/adapters/socketio/engineio"
)

// Prepared is an event encoded for its namespace. It is immutable and may be sent to any number of
// sockets, once to each if it is recoverable: its bytes are shared.
type Prepared struct{ *forms }

// forms are an event as clients with each parser read it. The one for msgpack is made when it is needed.
type forms struct {
	outgoing
	text []*engineio.Packet
	// single holds the usual text, of an event without attachments.
	single [1]*engineio.Packet
	// plain is the event of which this is the volatile one; nil if this is it itself.
	plain *forms

	makeFrame sync.Once
	frames    [1]*engineio.Packet
}

func newPrepared(o outgoing) Prepared {
	f := &forms{outgoing: o}
	f.text = f.appendText(f.single[:0])
	return Prepared{f}
}

// Volatile returns the event, sharing its bytes, as one that may be dropped for a socket that reads
// too slowly.
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

// packets returns the event as a connection's client reads it.
func (p Prepared) packets(msgpack bool) []*engineio.Packet {
	switch {
	case p.forms == nil:
		return nil
	case msgpack:
		return p.msgpack()
	}
	return p.text
}

// msgpack returns the event for clients that use msgpack.
func (f *forms) msgpack() []*engineio.Packet {
	f.makeFrame.Do(func() {
		if f.plain == nil {
			// It cannot fail: what could be wrong with the arguments was found when they were encoded.
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

// Prepare encodes an event of the namespace of that name; []byte and Binary in the arguments travel as
// binary data. The error is that of encoding the arguments. On a server with Config.Recovery, use
// PrepareRecoverable: clients would take a string at the end of the arguments for an offset.
func Prepare(namespace, event string, args ...any) (Prepared, error) {
	return prepare(namespace, event, false, args)
}

// PrepareRecoverable is Prepare for a server with Config.Recovery: the event gets an offset, as one
// more argument, by which a client that lost its connection tells what it has got.
func PrepareRecoverable(namespace, event string, args ...any) (Prepared, error) {
	return prepare(namespace, event, true, args)
}

// PrepareAsking encodes an event that asks each client for an ack, which comes to Namespace.OnAck with the
// id. Unlike with Ask, nothing is kept for the socket, and nobody waits: the id, from 1 to
// 1<<52, is the caller's to choose and to understand. The event is recovered, unless it was answered: so a client may
// get it twice, and the arguments should say by what it can tell.
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

// Multicast sends the event to each socket that is connected. It does not block and does no I/O.
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
