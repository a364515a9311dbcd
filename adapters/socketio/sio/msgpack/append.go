package msgpack

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"parley/adapters/socketio/sio/packet"
)

// Append appends the frame of p to dst, as notepack.io writes {type, data, id, nsp}. BINARY_EVENT and BINARY_ACK
// are written as EVENT and ACK, and an ACK without payload, which socket.io-msgpack-parser refuses, with an empty
// array.
//
// Each placeholder in Data is replaced by the binary data itself, from Buffers; without Buffers, a placeholder is
// an object like any other. A number is written as an integer in its shortest form if its value is integral and
// safe in JavaScript, or if it is written as an integer of at most 64 bits, and otherwise as a float 64. The
// namespace is not checked.
//
// It fails, and returns dst as it was, with [packet.ErrUnknownType], with [packet.ErrInvalidPayload] if Data is
// not valid JSON or not what the type requires, and with [packet.ErrIllegalAttachments],
// [packet.ErrTooManyAttachments] or [packet.ErrTooBig] (4 GiB) because of the attachments. A second placeholder
// for the same attachment, which no parser writes, is illegal too: it would let a short packet become a very long
// frame.
func Append(dst []byte, p packet.Packet) ([]byte, error) {
	switch p.Type {
	case packet.BinaryEvent:
		p.Type = packet.Event
	case packet.BinaryAck:
		p.Type = packet.Ack
	}
	if p.Type == packet.Ack && len(p.Data) == 0 {
		p.Data = []byte("[]")
	}
	if err := check(&p); err != nil {
		return dst, err
	}
	text := jsonOf(&p)
	e := encoder{body: make([]byte, 0, len(text)), heads: make([]head, 0, 16), open: make([]container, 0, 8), buffers: p.Buffers}
	if err := e.encode(text); err != nil {
		return dst, err
	}
	return e.appendTo(dst), nil
}

// check returns an error if p cannot be written.
func check(p *packet.Packet) error {
	var first byte
	if len(p.Data) > 0 {
		first = p.Data[0]
	}
	size := uint64(len(p.Data))
	for _, b := range p.Buffers {
		size += uint64(len(b))
	}
	switch {
	case p.Type > packet.ConnectError:
		return packet.ErrUnknownType
	case !suits(p.Type, first) || first != 0 && !json.Valid(p.Data):
		return packet.ErrInvalidPayload
	case p.Attachments > len(p.Buffers):
		return packet.ErrIllegalAttachments
	case len(p.Buffers) > packet.MaxAttachments:
		return packet.ErrTooManyAttachments
	case size > math.MaxUint32:
		return packet.ErrTooBig
	}
	return nil
}

// jsonOf returns the content of the frame as JSON.
func jsonOf(p *packet.Packet) []byte {
	const ownMembers = 64
	text := make([]byte, 0, ownMembers+len(p.Namespace)+len(p.Data))
	text = strconv.AppendUint(append(text, `{"type":`...), uint64(p.Type), 10)
	if len(p.Data) > 0 {
		text = append(append(text, `,"data":`...), p.Data...)
	}
	if p.HasID {
		text = strconv.AppendUint(append(text, `,"id":`...), p.ID, 10)
	}
	if p.Namespace == "" {
		p.Namespace = packet.RootNamespace
	}
	text = appendString(append(text, `,"nsp":`...), []byte(p.Namespace))
	return append(text, '}')
}

// encoder turns JSON into MessagePack. The head of a container holds its number of items, which is known only at
// its end and needs more bytes if there are more of them. So heads are kept apart from the body until the body is
// complete.
type encoder struct {
	body    []byte
	heads   []head // in the order of their places
	open    []container
	buffers [][]byte
	used    [packet.MaxAttachments]bool
}

// head is the beginning of an array or an object, or stands for a whole buffer.
type head struct {
	at   int    // its place in the body: before body[at:]
	n    uint32 // the number of elements, or of keys and values together, or the index of the buffer
	kind byte   // '[', '{' or aBuffer
}

const aBuffer = 'b'

// container is an array or an object that has not ended yet.
type container struct {
	head int    // its index in heads
	key  []byte // the latest key of an object, as encoded in the body
	// placeholder: the member "_placeholder" is true. num is the value of the member "num", or too large for an
	// index if it is not one. Of repeated keys the last one counts.
	placeholder bool
	num         int
}

// encode encodes JSON that is known to be valid.
func (e *encoder) encode(text []byte) error {
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case ' ', '\n', '\t', '\r', ',', ':':
			i++
		case '{', '[':
			e.item(nil)
			e.open = append(e.open, container{head: len(e.heads), num: math.MaxInt})
			e.heads = append(e.heads, head{at: len(e.body), kind: c})
			i++
		case '}', ']':
			if err := e.end(); err != nil {
				return err
			}
			i++
		default:
			start, end := len(e.body), endOfScalar(text, i)
			e.body = appendScalar(e.body, text[i:end])
			e.item(e.body[start:])
			i = end
		}
	}
	return nil
}

// item counts an item of the innermost container: a scalar as encoded in the body, or nil for a container.
func (e *encoder) item(scalar []byte) {
	if len(e.open) == 0 {
		return
	}
	c := &e.open[len(e.open)-1]
	h := &e.heads[c.head]
	h.n++
	if h.kind == '{' && h.n%2 == 1 {
		c.key = scalar
		return
	}
	switch string(c.key) {
	case "\xac_placeholder":
		c.placeholder = string(scalar) == "\xc3"
	case "\xa3num":
		c.num = math.MaxInt
		if len(scalar) == 1 { // an integer if it is below 0x80; otherwise too large for an index
			c.num = int(scalar[0])
		}
	}
}

// end ends the innermost container. A placeholder is replaced by its buffer.
func (e *encoder) end() error {
	c := e.open[len(e.open)-1]
	e.open = e.open[:len(e.open)-1]
	if !c.placeholder || len(e.buffers) == 0 {
		return nil
	}
	if c.num >= len(e.buffers) || e.used[c.num] {
		return packet.ErrIllegalAttachments
	}
	e.used[c.num] = true
	h := &e.heads[c.head]
	e.body, e.heads = e.body[:h.at], e.heads[:c.head+1]
	h.kind, h.n = aBuffer, uint32(c.num)
	return nil
}

// appendTo appends the heads and the body in their order.
func (e *encoder) appendTo(dst []byte) []byte {
	done := 0
	for _, h := range e.heads {
		dst = append(dst, e.body[done:h.at]...)
		switch done = h.at; h.kind {
		case '[':
			dst = appendHead(dst, arrayForm, uint64(h.n))
		case '{':
			dst = appendHead(dst, mapForm, uint64(h.n/2))
		default:
			b := e.buffers[h.n]
			dst = append(appendHead(dst, binForm, uint64(len(b))), b...)
		}
	}
	return append(dst, e.body[done:]...)
}

// endOfScalar returns the index after the string, number or literal at i.
func endOfScalar(text []byte, i int) int {
	if text[i] != '"' {
		// Every scalar is inside a container, so one of these follows.
		return i + bytes.IndexAny(text[i:], ",:]} \n\t\r")
	}
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func appendScalar(dst, text []byte) []byte {
	switch text[0] {
	case 'n':
		return append(dst, 0xc0)
	case 'f':
		return append(dst, 0xc2)
	case 't':
		return append(dst, 0xc3)
	case '"':
		s := text[1 : len(text)-1]
		if bytes.IndexByte(s, '\\') >= 0 || !utf8.Valid(s) {
			var unescaped string
			_ = json.Unmarshal(text, &unescaped) // it cannot fail: the text is valid
			s = []byte(unescaped)
		}
		return append(appendHead(dst, strForm, uint64(len(s))), s...)
	}
	return appendNumber(dst, string(text))
}

// appendNumber writes what JSON.parse makes of a number, except that an integer of 64 bits is not rounded:
// notepack rounds it the same way when it reads it.
func appendNumber(dst []byte, text string) []byte {
	const maxSafe = 1<<53 - 1
	if !strings.ContainsAny(text, ".eE") { // the errors below would tell too, but slowly
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return appendInt(dst, n)
		}
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			return appendHead(dst, uintForm, n)
		}
	}
	// A number out of range becomes an infinity, as in JavaScript.
	f, _ := strconv.ParseFloat(text, 64)
	if f == math.Trunc(f) && math.Abs(f) <= maxSafe {
		return appendInt(dst, int64(f))
	}
	return appendBigEndian(append(dst, 0xcb), math.Float64bits(f), 8)
}
