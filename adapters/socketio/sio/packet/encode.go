package packet

import "strconv"

// Append appends the text of p to dst: its header and Data. An event or ack with attachments is written in its
// binary form, so a packet from an [Assembler] is written as it came. Buffers are not written: the caller must
// send them as binary messages after the text.
//
// Nothing is checked. The namespace must not contain a comma, and Data must be valid.
func Append(dst []byte, p Packet) []byte {
	dst = AppendHeader(dst, p)
	return append(dst, p.Data...)
}

// AppendHeader appends the part of p's text that precedes the payload.
func AppendHeader(dst []byte, p Packet) []byte {
	t := p.Type
	if p.Attachments > 0 {
		switch t {
		case Event:
			t = BinaryEvent
		case Ack:
			t = BinaryAck
		}
	}
	dst = append(dst, '0'+byte(t))
	if t.isBinary() {
		dst = strconv.AppendInt(dst, int64(p.Attachments), 10)
		dst = append(dst, '-')
	}
	if p.Namespace != "" && p.Namespace != RootNamespace {
		dst = append(dst, p.Namespace...)
		dst = append(dst, ',')
	}
	if p.HasID {
		dst = strconv.AppendUint(dst, p.ID, 10)
	}
	return dst
}

// AppendEvent appends an event. args is the array of its name and arguments, as returned by [MarshalArgs]. id
// asks for an ack; nil asks for none.
func AppendEvent(dst []byte, namespace string, id *uint64, attachments int, args []byte) []byte {
	p := Packet{Type: Event, Namespace: namespace, Attachments: attachments, Data: args}
	if id != nil {
		p.ID, p.HasID = *id, true
	}
	return Append(dst, p)
}

// AppendAck appends the answer to the event with the ack id. args is the array of arguments.
func AppendAck(dst []byte, namespace string, id uint64, attachments int, args []byte) []byte {
	return Append(dst, Packet{Type: Ack, Namespace: namespace, ID: id, HasID: true, Attachments: attachments, Data: args})
}

// AppendConnect appends a CONNECT. payload is an object or nil: {"sid":…,"pid":…} from a server, the credentials
// from a client.
func AppendConnect(dst []byte, namespace string, payload []byte) []byte {
	return Append(dst, Packet{Type: Connect, Namespace: namespace, Data: payload})
}

// AppendConnectError appends a CONNECT_ERROR: {"message":…} and, if data is not nil, "data" with that JSON.
func AppendConnectError(dst []byte, namespace, message string, data []byte) []byte {
	return AppendRefusal(AppendHeader(dst, Packet{Type: ConnectError, Namespace: namespace}), message, data)
}

// AppendRefusal appends the payload of a CONNECT_ERROR: {"message":…} and, if data is not nil, "data" with that
// JSON.
func AppendRefusal(dst []byte, message string, data []byte) []byte {
	quoted, _ := Marshal(message) // a string can always be encoded
	dst = append(dst, `{"message":`...)
	dst = append(dst, quoted...)
	if data != nil {
		dst = append(dst, `,"data":`...)
		dst = append(dst, data...)
	}
	return append(dst, '}')
}

// AppendDisconnect appends a DISCONNECT.
func AppendDisconnect(dst []byte, namespace string) []byte {
	return Append(dst, Packet{Type: Disconnect, Namespace: namespace})
}
