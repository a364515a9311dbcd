package websocket

import (
	"bytes"
	"compress/flate"
	"sync"
)

// keepBuffer is the capacity, in bytes, up to which a pooled buffer is kept.
const keepBuffer = 64 << 10

// deflater compresses one message at a time. It takes more than a megabyte and is therefore pooled: there are only as
// many as goroutines compressing at the same time.
type deflater struct {
	out    bytes.Buffer
	writer *flate.Writer
}

var deflaters = sync.Pool{New: func() any {
	d := &deflater{}
	d.writer, _ = flate.NewWriter(&d.out, flate.BestSpeed) // fails only for an unknown level
	return d
}}

// flushed is what a flush appends and the wire omits (RFC 7692 §7.2.1).
const flushed = "\x00\x00\xff\xff"

// AppendDeflated appends a complete, final, unmasked frame with the payload compressed on its own, without context from
// other messages (RFC 7692 §7.2.1). Send it only to clients that have agreed to permessage-deflate, see [Accept]. If
// compression does not make the payload smaller, nothing is appended and ok is false: send it uncompressed.
func AppendDeflated(dst []byte, op Opcode, payload []byte) (frame []byte, ok bool) {
	d := deflaters.Get().(*deflater)
	defer d.release()
	d.writer.Reset(&d.out)
	if _, err := d.writer.Write(payload); err != nil {
		return dst, false // a bytes.Buffer does not fail
	}
	if err := d.writer.Flush(); err != nil {
		return dst, false // as above
	}
	body := d.out.Bytes()
	body = body[:len(body)-len(flushed)]
	if len(body) >= len(payload) {
		return dst, false
	}
	start := len(dst)
	dst = AppendHeader(dst, op, len(body))
	dst[start] |= bitRSV1
	return append(dst, body...), true
}

func (d *deflater) release() {
	if d.out.Cap() > keepBuffer {
		d.out = bytes.Buffer{}
	}
	d.out.Reset()
	deflaters.Put(d)
}
