package websocket

import (
	"compress/flate"
	"errors"
	"io"
	"sync"
)

const (
	// windowSize is how far back DEFLATE may refer, in bytes.
	windowSize = 32 << 10
	// maxFinalBlocks is how many blocks of one message may be marked as the last.
	// §7.2.3.4 of RFC 7692 allows it, nobody needs it, and each costs a new start.
	maxFinalBlocks = 16
	// minInflated is the room for a small message.
	minInflated = 512
)

// inflater decompresses one message at a time. It is pooled: nothing is kept for
// a connection between its messages.
type inflater struct {
	source inflateSource
	reader io.ReadCloser
	out    []byte
}

var inflaters = sync.Pool{New: func() any {
	i := &inflater{}
	i.reader = flate.NewReader(&i.source)
	return i
}}

func (i *inflater) release() {
	i.source = inflateSource{}
	if cap(i.out) > keepBuffer {
		i.out = nil
	}
	inflaters.Put(i)
}

// inflate decompresses a message (RFC 7692 §7.2.2). The result is valid until
// release. It holds at most limit bytes, and the room for it grows with what has
// come out: a message that would be larger is given up with errTooBig.
func (i *inflater) inflate(payload []byte, limit int) ([]byte, error) {
	i.source = inflateSource{payload: payload, tail: inflateTail}
	i.out = i.out[:0]
	if err := i.restart(nil); err != nil {
		return nil, err
	}
	i.grow(min(max(minInflated, 4*len(payload)), limit+1))
	for finals := 0; ; {
		n, err := i.reader.Read(i.out[len(i.out):cap(i.out)])
		i.out = i.out[:len(i.out)+n]
		switch {
		case len(i.out) > limit:
			return nil, errTooBig
		case err == nil:
		case !errors.Is(err, io.EOF):
			return nil, errInflate
		case len(i.source.payload) == 0:
			return i.out, nil
		default:
			// A block was marked as the last, and there are more.
			if finals++; finals > maxFinalBlocks {
				return nil, errInflate
			}
			if err := i.restart(i.out[max(0, len(i.out)-windowSize):]); err != nil {
				return nil, err
			}
		}
		if len(i.out) == cap(i.out) {
			i.grow(min(2*cap(i.out), limit+1))
		}
	}
}

// restart makes the reader take what follows for a new stream, which may refer
// to window.
func (i *inflater) restart(window []byte) error {
	return i.reader.(flate.Resetter).Reset(&i.source, window)
}

// grow makes room for size bytes altogether.
func (i *inflater) grow(size int) {
	if size > cap(i.out) {
		i.out = append(make([]byte, 0, size), i.out...)
	}
}

// inflateTail is what the sender left out, then an empty block that is the last:
// without one the reader would wait for more.
const inflateTail = flushed + "\x01\x00\x00\xff\xff"

// inflateSource reads a payload, then a tail. It is an [io.ByteReader] so that
// flate reads no further than it decodes.
type inflateSource struct {
	payload []byte
	tail    string
}

func (s *inflateSource) Read(p []byte) (int, error) {
	if len(s.payload) > 0 {
		n := copy(p, s.payload)
		s.payload = s.payload[n:]
		return n, nil
	}
	if s.tail == "" {
		return 0, io.EOF
	}
	n := copy(p, s.tail)
	s.tail = s.tail[n:]
	return n, nil
}

func (s *inflateSource) ReadByte() (byte, error) {
	var b byte
	switch {
	case len(s.payload) > 0:
		b, s.payload = s.payload[0], s.payload[1:]
	case s.tail != "":
		b, s.tail = s.tail[0], s.tail[1:]
	default:
		return 0, io.EOF
	}
	return b, nil
}

// room is how many bytes of payload the message under way may have. A message
// that cannot be compressed grows by a few bytes in a thousand when it is.
func (d *Decoder) room() int {
	if d.deflated() {
		return d.limit() + d.limit()>>8 + 64
	}
	return d.limit()
}

// deflated reports whether the message of the current data frame is compressed.
func (d *Decoder) deflated() bool { return (d.head[0]|byte(d.message))&bitRSV1 != 0 }

// inflate delivers a compressed message.
func (d *Decoder) inflate(op Opcode, payload []byte, h Handler) error {
	i := inflaters.Get().(*inflater)
	defer i.release()
	data, err := i.inflate(payload, d.limit())
	if err != nil {
		return err
	}
	return deliver(op, data, h)
}
