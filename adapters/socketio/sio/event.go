package sio

import (
	"encoding/json"
	"fmt"

	"parley/adapters/socketio/sio/packet"
)

// Event is one event of a client. It is valid only during the call of its handler.
type Event struct {
	Socket *Socket
	Name   string
	// Args are the arguments as JSON, with placeholders for binary data; see Bind.
	Args []json.RawMessage
	// Attachments are the event's binary data. They are the handler's to keep.
	Attachments [][]byte

	id       uint64
	wantsAck bool
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

// WantsAck reports whether the client waits for an ack that has not been sent yet.
func (e *Event) WantsAck() bool { return e.wantsAck }

// Ack answers the event. Only the first call does, and only if the client asked for it. The error is
// that of encoding the arguments.
func (e *Event) Ack(args ...any) error {
	if !e.wantsAck {
		return nil
	}
	body, attachments, err := packet.MarshalArgs(args...)
	if err != nil {
		return err
	}
	e.wantsAck = false
	n := e.Socket.namespace.name
	buf := packet.AppendAck(newBuffer(len(body)+len(n)), n, e.id, len(attachments), body)
	e.Socket.Send(prepared(buf, attachments))
	return nil
}
