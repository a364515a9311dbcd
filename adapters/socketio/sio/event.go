package sio

import (
	"encoding/json"
	"fmt"
	"sync/atomic"

	"parley/adapters/socketio/sio/packet"
)

// Event is one event of a client.
type Event struct {
	Socket *Socket
	Name   string
	// Args are the arguments as JSON, with placeholders for binary data; see Bind. They are valid only
	// during the call of the handler.
	Args []json.RawMessage
	// Attachments are the event's binary data. They are the handler's to keep.
	Attachments [][]byte

	id       uint64
	wantsAck atomic.Bool
	// few holds the arguments of the usual event.
	few [3]json.RawMessage
}

// Binary is binary data in an argument: a Buffer, ArrayBuffer or typed array to the client.
type Binary = packet.Binary

// Bind decodes the arguments, in order, into the values pointed at; where they have a Binary it gets
// the client's binary data. Arguments beyond them are ignored; missing ones are an error.
func (e *Event) Bind(into ...any) error { return bind(e.Args, e.Attachments, into) }

func bind(args []json.RawMessage, attachments [][]byte, into []any) error {
	if len(args) < len(into) {
		return fmt.Errorf("sio: %d arguments, want %d", len(args), len(into))
	}
	for i, v := range into {
		if err := packet.Bind(args[i], attachments, v); err != nil {
			return err
		}
	}
	return nil
}

// Emit sends an event to the client that sent this one, as a part of the answer: like an ack it does not
// count against what may wait for the client, but it is recovered like any event. The error is that of
// encoding the arguments.
func (e *Event) Emit(event string, args ...any) error {
	o, err := newEvent(e.Socket.namespace.name, event, e.Socket.mayRecover(), args)
	if err != nil {
		return err
	}
	packets, err := e.Socket.conn.Load().encode(&o)
	if err != nil {
		return err
	}
	e.Socket.answer(packets)
	return nil
}

// WantsAck reports whether the client waits for an ack that has not been sent yet.
func (e *Event) WantsAck() bool { return e.wantsAck.Load() }

// Ack answers the event, now or after its handler has returned. Only the first call does, and only if
// the client asked for it. The error is that of encoding the arguments; then nothing was answered.
func (e *Event) Ack(args ...any) error {
	if !e.WantsAck() {
		return nil
	}
	o, err := newOutgoing(packet.Ack, e.Socket.namespace.name, args)
	if err != nil {
		return err
	}
	o.packet.ID, o.packet.HasID = e.id, true
	packets, err := e.Socket.conn.Load().encode(&o)
	if err != nil {
		return err
	}
	if e.wantsAck.CompareAndSwap(true, false) { // or another goroutine was quicker
		e.Socket.answer(packets)
	}
	return nil
}
