package msgpack

import (
	"encoding/binary"
	"math"
	"strconv"

	"parley/adapters/socketio/sio/packet"
)

// decoder turns MessagePack into JSON. Its first error ends the input; output after that is meaningless.
type decoder struct {
	in  []byte // the input that is left
	out []byte
	// buffers are the binary data of the placeholders in out.
	buffers [][]byte
	// lookalike says that a map looked like a placeholder.
	lookalike bool
	err       error
}

func (d *decoder) fail(err error) {
	if d.err == nil && err != nil {
		d.err, d.in = err, nil
	}
}

// take returns the next n bytes of the input, or nil if it has fewer.
func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.in)) {
		d.fail(ErrMalformed)
		return nil
	}
	taken := d.in[:n]
	d.in = d.in[n:]
	return taken
}

// uint reads a big-endian integer of 1, 2, 4 or 8 bytes.
func (d *decoder) uint(size int) uint64 {
	var n uint64
	for _, b := range d.take(uint64(size)) {
		n = n<<8 | uint64(b)
	}
	return n
}

// peek returns the next byte of the input, or 0 at its end.
func (d *decoder) peek() byte {
	if len(d.in) == 0 {
		return 0
	}
	return d.in[0]
}

// value writes the next value. depth is the number of containers around it.
//
// The sizes of numbers and lengths follow from the order of the prefixes in the MessagePack specification.
func (d *decoder) value(depth int) {
	c := d.peek()
	if isMap(c) {
		d.object(depth + 1)
		return
	}
	d.take(1)
	switch {
	case c < 0x80:
		d.out = strconv.AppendUint(d.out, uint64(c), 10)
	case c < 0xa0:
		d.array(uint64(c&0x0f), depth+1)
	case c < 0xc0:
		d.out = appendString(d.out, d.take(uint64(c&0x1f)))
	case c >= 0xe0:
		d.out = strconv.AppendInt(d.out, int64(int8(c)), 10)
	case c == 0xc0:
		d.out = append(d.out, "null"...)
	case c == 0xc1:
		d.fail(ErrMalformed)
	case c <= 0xc3:
		d.out = strconv.AppendBool(d.out, c == 0xc3)
	case c <= 0xc6:
		d.binary(d.take(d.uint(1 << (c - 0xc4))))
	case c <= 0xc9:
		d.extension(c, d.uint(1<<(c-0xc7)))
	case c == 0xca:
		d.float(float64(math.Float32frombits(uint32(d.uint(4)))))
	case c == 0xcb:
		d.float(math.Float64frombits(d.uint(8)))
	case c <= 0xcf:
		d.out = strconv.AppendUint(d.out, d.uint(1<<(c-0xcc)), 10)
	case c <= 0xd3:
		size := 1 << (c - 0xd0)
		unused := 64 - 8*size
		d.out = strconv.AppendInt(d.out, int64(d.uint(size)<<unused)>>unused, 10)
	case c <= 0xd8:
		d.extension(c, 1<<(c-0xd4))
	case c <= 0xdb:
		d.out = appendString(d.out, d.take(d.uint(1<<(c-0xd9))))
	default:
		d.array(d.uint(2<<(c-0xdc)), depth+1)
	}
}

func isMap(c byte) bool { return c&0xf0 == 0x80 || c == 0xde || c == 0xdf }

func isBinOrExt(c byte) bool { return c >= 0xc4 && c <= 0xc9 || c >= 0xd4 && c <= 0xd8 }

// mapLength reads the head of a map. Nothing may be allocated by the length that it announces.
func (d *decoder) mapLength() uint64 {
	c := d.peek()
	d.take(1)
	n := uint64(c & 0x0f)
	switch {
	case !isMap(c):
		d.fail(ErrMalformed)
	case c == 0xde:
		n = d.uint(2)
	case c == 0xdf:
		n = d.uint(4)
	}
	return n
}

// object writes the next value, a map. depth includes it.
func (d *decoder) object(depth int) {
	n := d.mapLength()
	if depth > MaxDepth {
		d.fail(ErrTooDeep)
	}
	d.out = append(d.out, '{')
	first, placeholder := len(d.out), false
	for ; n > 0 && d.err == nil; n-- {
		end := len(d.out)
		if end > first {
			d.out = append(d.out, ',')
		}
		start := len(d.out)
		d.key()
		if d.undefined() {
			d.out = d.out[:end]
			continue
		}
		if string(d.out[start:]) == `"_placeholder"` {
			placeholder = d.peek() == 0xc3
		}
		d.out = append(d.out, ':')
		d.value(depth)
	}
	d.out = append(d.out, '}')
	d.lookalike = d.lookalike || placeholder
}

// key writes the next value as a key, which in JSON is a string.
func (d *decoder) key() {
	switch c := d.peek(); {
	case c >= 0xa0 && c < 0xc0 || c >= 0xd9 && c <= 0xdb:
		d.value(0)
	case c < 0x80 || c >= 0xe0 || c >= 0xcc && c <= 0xd3:
		d.out = append(d.out, '"')
		d.value(0)
		d.out = append(d.out, '"')
	default:
		d.fail(ErrMalformed)
	}
}

// array writes an array of n elements. depth includes it.
func (d *decoder) array(n uint64, depth int) {
	if depth > MaxDepth {
		d.fail(ErrTooDeep)
	}
	d.out = append(d.out, '[')
	for i := uint64(0); i < n && d.err == nil; i++ {
		if i > 0 {
			d.out = append(d.out, ',')
		}
		d.value(depth)
	}
	d.out = append(d.out, ']')
}

// undefined reads the next value if it is what notepack writes for undefined, and reports whether it was.
func (d *decoder) undefined() bool {
	if len(d.in) < 3 || d.in[0] != 0xd4 || d.in[1] != 0 {
		return false
	}
	d.in = d.in[3:]
	return true
}

// extension writes an extension of n bytes whose prefix is c.
func (d *decoder) extension(c byte, n uint64) {
	kind := int8(d.uint(1))
	payload := d.take(n)
	switch {
	case d.err != nil:
	case kind == 0 && c <= 0xc9:
		d.binary(payload)
	case kind == 0 && c == 0xd4: // undefined
		d.out = append(d.out, "null"...)
	case kind == 0 && c == 0xd7:
		d.date(int64(binary.BigEndian.Uint64(payload)))
	case kind == -1 && n == 4:
		d.date(1000 * int64(binary.BigEndian.Uint32(payload)))
	case kind == -1 && n == 8:
		both := binary.BigEndian.Uint64(payload)
		d.timestamp(int64(both&(1<<34-1)), both>>34)
	case kind == -1 && n == 12:
		d.timestamp(int64(binary.BigEndian.Uint64(payload[4:])), uint64(binary.BigEndian.Uint32(payload)))
	default:
		d.out = append(d.out, '[')
		d.out = strconv.AppendInt(d.out, int64(kind), 10)
		d.out = append(d.out, ',')
		d.binary(payload)
		d.out = append(d.out, ']')
	}
}

// binary writes a placeholder and keeps a copy of the data.
func (d *decoder) binary(data []byte) {
	if len(d.buffers) == packet.MaxAttachments {
		d.fail(packet.ErrTooManyAttachments)
		return
	}
	d.out = append(d.out, `{"_placeholder":true,"num":`...)
	d.out = strconv.AppendInt(d.out, int64(len(d.buffers)), 10)
	d.out = append(d.out, '}')
	// append to an empty slice, not to nil, so that an empty attachment does not become nil.
	d.buffers = append(d.buffers, append([]byte{}, data...))
}
