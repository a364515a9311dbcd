package msgpack

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"parley/adapters/socketio/sio/packet"
)

// MaxDepth is how deep arrays and maps in a frame may be nested, data itself included.
const MaxDepth = 1000

// The errors of reading a frame besides those of package packet. After any of them, close the connection, as the
// reference server does.
var (
	ErrMalformed        = errors.New("msgpack: not exactly one map in MessagePack")
	ErrTooDeep          = errors.New("msgpack: value is nested too deep")
	ErrInvalidNamespace = errors.New("msgpack: invalid namespace")
)

// Decode reads a frame. The packet is whole, as from a [packet.Assembler]: of a type that needs no attachments,
// but with Buffers if it contains binary data. Nothing in it aliases frame.
//
// The data is checked by type as socket.io-msgpack-parser checks it: CONNECT has a map or nothing, DISCONNECT
// nothing, CONNECT_ERROR a string or a map, an event and an ack an array. The further requirements of
// [packet.Decode] apply too: an event begins with a number or with a string that is not reserved, the namespace
// begins with "/" and contains no comma, and the ack id is not negative.
//
// A map that only looks like a placeholder stays as it is. Next to real binary data it could not be told apart,
// and is refused with [packet.ErrIllegalAttachments].
func Decode(frame []byte) (packet.Packet, error) {
	const moreInJSON = 32 // a guess: with it the output of most small frames need not grow
	d := decoder{in: frame, out: make([]byte, 1, len(frame)+moreInJSON)}
	h := d.members()
	switch {
	case d.err != nil:
		return packet.Packet{}, d.err
	case len(d.in) > 0:
		return packet.Packet{}, ErrMalformed
	case h.kind == noType:
		return packet.Packet{}, packet.ErrUnknownType
	case h.namespace == "":
		return packet.Packet{}, ErrInvalidNamespace
	case !suits(h.kind, h.data):
		return packet.Packet{}, packet.ErrInvalidPayload
	case d.lookalike && len(d.buffers) > 0:
		return packet.Packet{}, packet.ErrIllegalAttachments
	}
	// Decoding it as the text of a packet applies the same rules to it.
	d.out[0] = '0' + byte(h.kind)
	p, err := packet.Decode(d.out)
	if err != nil {
		return packet.Packet{}, err
	}
	p.Namespace, p.ID, p.HasID = h.namespace, h.id, h.hasID
	p.Attachments, p.Buffers = len(d.buffers), d.buffers
	return p, nil
}

// header holds the members of a frame other than its data.
type header struct {
	kind      packet.Type
	namespace string
	id        uint64
	hasID     bool
	// data is the first character of the data as JSON; 0 if absent.
	data byte
}

const noType = packet.Type(255)

// members reads the map that a frame is, and leaves the JSON of its data in d.out[1:]. Of repeated members the
// last one counts.
func (d *decoder) members() header {
	h := header{kind: noType}
	for n := d.mapLength(); n > 0 && d.err == nil; n-- {
		switch string(d.aside(d.key)) {
		case `"data"`:
			h.data = d.data()
		case `"type"`:
			h.kind = typeOf(d.aside(d.member))
		case `"nsp"`:
			h.namespace = namespaceOf(d.aside(d.member))
		case `"id"`:
			h.id, h.hasID = 0, !d.undefined()
			if h.hasID {
				h.id = d.ackID()
			}
		default:
			d.aside(d.member)
		}
	}
	return h
}

// ackID reads an integer that is not negative. Numbers up to 1e21 are written in digits.
func (d *decoder) ackID() uint64 {
	id, err := strconv.ParseUint(string(d.aside(d.member)), 10, 64)
	if err != nil {
		d.fail(packet.ErrIllegalID)
	}
	return id
}

// data reads the data of the packet and returns the first byte of its JSON; 0 if it is undefined.
func (d *decoder) data() byte {
	d.out, d.buffers, d.lookalike = d.out[:1], nil, false
	if d.undefined() {
		return 0
	}
	prefix := d.peek()
	d.member()
	if d.err != nil {
		return 0
	}
	if first := d.out[1]; first == '[' || !isBinOrExt(prefix) {
		return first
	}
	return '!' // binary data and extensions: not the object or the string that their JSON looks like
}

// member reads the value of a member of the frame.
func (d *decoder) member() { d.value(0) }

// aside calls read and returns the JSON that it wrote, which is not part of the output and is valid until more is
// written.
func (d *decoder) aside(read func()) []byte {
	end, buffers, lookalike := len(d.out), d.buffers, d.lookalike
	read()
	written := d.out[end:]
	d.out, d.buffers, d.lookalike = d.out[:end], buffers, lookalike
	return written
}

// suits reports whether isDataValid of socket.io-msgpack-parser accepts data for the type. first is the first
// byte of the data's JSON, or 0 if it is absent.
func suits(t packet.Type, first byte) bool {
	switch t {
	case packet.Connect:
		return first == 0 || first == '{'
	case packet.Disconnect:
		return first == 0
	case packet.ConnectError:
		return first == '{' || first == '"'
	default:
		return first == '['
	}
}

// typeOf returns the packet type written in text, or noType unless that is an integer from 0 to 4.
func typeOf(text []byte) packet.Type {
	if len(text) != 1 || text[0] < '0' || text[0] > '0'+byte(packet.ConnectError) {
		return noType
	}
	return packet.Type(text[0] - '0')
}

// namespaceOf returns the namespace written in text, or "" if that is not a valid one.
func namespaceOf(text []byte) string {
	var name string
	if string(text) == `"/"` {
		return packet.RootNamespace
	}
	if json.Unmarshal(text, &name) != nil || !strings.HasPrefix(name, "/") || strings.Contains(name, ",") {
		return ""
	}
	return name
}
