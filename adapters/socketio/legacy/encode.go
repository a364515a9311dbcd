package legacy

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/googollee/go-socket.io/engineio/packet"

	sio "parley/adapters/socketio/sio/packet"
)

var errBinary = errors.New("legacy: binary data is not sent")

// newEvent encodes an event.
func newEvent(name string, args ...any) (outgoing, error) {
	return newAsk(0, name, args...)
}

// newAsk encodes an event that asks for an ack with the id; 0 asks for none.
func newAsk(id uint64, name string, args ...any) (outgoing, error) {
	array, err := marshal(append([]any{name}, args...)...)
	return newMessage(sio.Packet{Type: sio.Event, ID: id, HasID: id != 0, Data: array}), err
}

// newAck encodes the answer to the event with the ack id.
func newAck(id uint64, args ...any) (outgoing, error) {
	array, err := marshal(args...)
	return newMessage(sio.Packet{Type: sio.Ack, ID: id, HasID: true, Data: array}), err
}

// newMessage encodes a Socket.IO packet whose payload is ASCII.
func newMessage(p sio.Packet) outgoing {
	return outgoing{kind: packet.MESSAGE, data: sio.Append(nil, p)}
}

// newRefusal encodes the reason why the client may not be in a namespace: any JSON, in ASCII.
func newRefusal(namespace string, why []byte) outgoing {
	return newMessage(sio.Packet{Type: sio.ConnectError, Namespace: namespace, Data: why})
}

// marshalOne encodes a value, in ASCII.
func marshalOne(v any) ([]byte, error) {
	text, err := sio.Marshal(v)
	return ascii(text), err
}

// marshal encodes the arguments as an array, in ASCII.
func marshal(args ...any) ([]byte, error) {
	array, attachments, err := sio.MarshalArgs(args...)
	if err == nil && len(attachments) > 0 {
		err = errBinary
	}
	return ascii(array), err
}

// ascii escapes everything that is not ASCII in JSON, where that occurs only inside strings.
func ascii(json []byte) []byte {
	if isASCII(json) {
		return json
	}
	out := make([]byte, 0, 2*len(json))
	for _, r := range string(json) {
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r < 0x10000:
			out = appendEscape(out, r)
		default:
			high, low := utf16.EncodeRune(r)
			out = appendEscape(appendEscape(out, high), low)
		}
	}
	return out
}

func appendEscape(out []byte, unit rune) []byte {
	const digits = "0123456789abcdef"
	return append(out, '\\', 'u', digits[unit>>12&15], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
