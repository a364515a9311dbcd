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
	// maxFinalBlocks is how many blocks of one message may be marked as final. RFC 7692 §7.2.3.4 allows several, nobody
	// needs them, and each costs a restart of the decompressor.
	maxFinalBlocks = 16
	// minInflated is the initial buffer for small messages, in bytes.
	minInflated = 512
)

// inflater decompresses one message at a time. It is pooled: connections keep nothing between messages.
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

// inflate decompresses a message (RFC 7692 §7.2.2). The result holds at most limit bytes and is valid until release.
// Its buffer grows with the output; a message that exceeds the limit is abandoned with errTooBig.
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
			// A block was marked as final, yet more follow.
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

// restart makes the reader treat what follows as a new stream that may refer back to window.
func (i *inflater) restart(window []byte) error {
	return i.reader.(flate.Resetter).Reset(&i.source, window)
}

// grow makes room for size bytes in total.
func (i *inflater) grow(size int) {
	if size > cap(i.out) {
		i.out = append(make([]byte, 0, size), i.out...)
	}
}

// inflateTail is what the sender left out, followed by an empty final block, without which the reader would wait for
// more.
const inflateTail = flushed + "\x01\x00\x00\xff\xff"

// inflateSource reads a payload, then a tail. It is an [io.ByteReader] so that flate does not read ahead.
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

// room returns the largest payload of the message in progress, in bytes. Incompressible messages grow by a few bytes in
// a thousand when compressed.
func (d *Decoder) room() int {
	if d.deflated() {
		return d.limit() + d.limit()>>8 + 64
	}
	return d.limit()
}

// deflated reports whether the message of the current data frame is compressed.
func (d *Decoder) deflated() bool { return (d.head[0]|byte(d.message))&bitRSV1 != 0 }

// inflate decompresses a message and delivers it.
func (d *Decoder) inflate(op Opcode, payload []byte, h Handler) error {
	i := inflaters.Get().(*inflater)
	defer i.release()
	data, err := i.inflate(payload, d.limit())
	if err != nil {
		return err
	}
	return deliver(op, data, h)
}
