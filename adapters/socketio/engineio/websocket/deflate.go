package websocket

import (
	"bytes"
	"compress/flate"
	"sync"
)

// keepBuffer is the largest buffer, in bytes, that a pool keeps.
const keepBuffer = 64 << 10

// deflater compresses one message at a time. It takes more than a megabyte, and
// is therefore pooled: there are as many as goroutines that compress at once.
type deflater struct {
	out    bytes.Buffer
	writer *flate.Writer
}

var deflaters = sync.Pool{New: func() any {
	d := &deflater{}
	d.writer, _ = flate.NewWriter(&d.out, flate.BestSpeed) // it fails only for an unknown level
	return d
}}

// flushed is what a flush ends in and the wire leaves out (RFC 7692 §7.2.1).
const flushed = "\x00\x00\xff\xff"

// AppendDeflated appends a whole, final, unmasked frame with the payload
// compressed (RFC 7692 §7.2.1), which stands alone: without a context taken over
// from other messages. Clients may get it that have agreed to permessage-deflate,
// see [Accept]. If the payload does not get smaller, nothing is appended
// and ok is false: send it as it is.
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
