package sio

import (
	"encoding/json"
	"fmt"
	"sync/atomic"

	"parley/adapters/socketio/sio/packet"
)

// Event is an event that a client sent.
type Event struct {
	Socket *Socket
	Name   string
	// Args are the arguments as JSON, with placeholders for binary data; decode them with Bind. They are valid
	// only during the handler's call.
	Args []json.RawMessage
	// Attachments are the event's binary data. The handler may keep them.
	Attachments [][]byte

	id       uint64
	wantsAck atomic.Bool
	// few saves an allocation for Args of the usual event.
	few [3]json.RawMessage
}

// Binary is binary data in an argument: to the client, a Buffer, ArrayBuffer or typed array.
type Binary = packet.Binary

// Bind decodes the arguments, in order, into the values pointed to. A Binary anywhere in them receives the
// client's binary data. Surplus arguments are ignored; missing ones are an error.
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

// Emit sends an event to the client that sent this one, as part of the answer: like an ack, it does not count
// against the outbox limit, but unlike an ack it is sent again to a client that recovers. The error is that of
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

// WantsAck reports whether the client has asked for an ack that has not been sent yet.
func (e *Event) WantsAck() bool { return e.wantsAck.Load() }

// Ack answers the event, during the handler's call or later. Only the first call has an effect, and only if the
// client asked for an ack. The error is that of encoding the arguments; then nothing was sent, and Ack may be
// called again.
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
