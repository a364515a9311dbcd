package websocket

import (
	"encoding/binary"
	"unicode/utf8"
)

const (
	// DefaultMaxMessage is the limit of a [Decoder] whose MaxMessage is not set, in bytes: the maxHttpBufferSize of the
	// reference Socket.IO server.
	DefaultMaxMessage = 1_000_000

	// MaxFragments is the largest number of frames that a message may consist of. Without a bound, empty fragments
	// could keep a server busy while staying below every limit on bytes.
	MaxFragments = 1024

	// maxClientHeader is two bytes, eight of length and four of masking key (§5.2).
	maxClientHeader = 14
)

// Handler receives what a [Decoder] decodes. The data is valid only during the call; the handler may overwrite it, but
// must not call the decoder.
type Handler interface {
	// Message receives a whole data message: [OpText], checked to be UTF-8, or [OpBinary]. An error stops the decoder.
	Message(op Opcode, data []byte) error
	// Control receives [OpPing], [OpPong] or [OpClose] with at most 125 bytes, possibly between the fragments of a
	// message. A Close body has been checked; read it with [ParseClose]. An error stops the decoder.
	Control(op Opcode, data []byte) error
}

// phase is a Decoder's position in the stream of frames.
type phase byte

const (
	inHeader phase = iota
	inPayload
	afterClose
)

// Decoder turns the bytes sent by a client into messages. The zero value is ready to use, with [DefaultMaxMessage] as
// its limit. It must not be copied after first use.
type Decoder struct {
	// MaxMessage is the largest payload of a message, in bytes, all fragments together. If it is not positive,
	// DefaultMaxMessage applies.
	MaxMessage int
	// Deflate says that the client may send compressed messages, as agreed by [Accept]. MaxMessage then also limits the
	// decompressed size.
	Deflate bool

	// buf gathers payload that Feed could not deliver at once: the fragments of the current message, followed by the
	// beginning of a control frame that came between them. It is nil if there is neither.
	buf []byte
	// err is the error that ended decoding, for good.
	err error
	// remaining is the number of payload bytes of the current frame that are yet to come.
	remaining int
	// key is the masking key, rotated to fit the next payload byte.
	key uint32

	fragments uint16
	phase     phase
	// message is the opcode of the fragmented message in progress, with bitRSV1 set if it is compressed; 0 if there is
	// none.
	message Opcode
	headLen uint8
	head    [maxClientHeader]byte
}

// Feed decodes p, which continues the bytes of earlier calls and may be cut anywhere, and calls h for everything that
// is complete. It unmasks in place, so it changes p, and passes parts of p to h; once Feed has returned, p is the
// caller's again.
//
// It fails with a *[CloseError] if the peer has violated the protocol or a limit: send its code and close the
// connection. An error of h is returned unchanged. After either, and after a Close frame (§5.5.1: no data follows it),
// the rest of p is dropped; further calls deliver nothing and return the same error, or nil after a Close frame.
func (d *Decoder) Feed(p []byte, h Handler) error {
	if d.err != nil {
		return d.err
	}
	if err := d.feed(p, h); err != nil {
		d.err, d.buf = err, nil
	}
	return d.err
}

// Buffered returns the number of payload bytes held of incomplete messages and control frames.
func (d *Decoder) Buffered() int { return len(d.buf) }

func (d *Decoder) feed(p []byte, h Handler) error {
	for len(p) > 0 {
		switch d.phase {
		case afterClose:
			return nil
		case inHeader:
			n, err := d.readHeader(p)
			if err != nil {
				return err
			}
			p = p[n:]
			if d.phase == inHeader {
				return nil
			}
		}
		// The capacity keeps a handler that appends to its data from overwriting the next frame.
		n := min(len(p), d.remaining)
		piece := p[:n:n]
		p = p[n:]
		d.key = unmask(piece, d.key)
		if d.remaining -= n; d.remaining > 0 {
			d.keep(piece)
			return nil
		}
		d.phase = inHeader
		if err := d.frame(piece, h); err != nil {
			return err
		}
	}
	return nil
}

// keep gathers a piece of a payload. A message of one frame gets a buffer twice the size of what has arrived, but no
// larger than the message. The total size of a fragmented message is unknown, so append decides.
func (d *Decoder) keep(piece []byte) {
	have := len(d.buf) + len(piece)
	if have > cap(d.buf) && d.message == 0 && d.head[0]&bitFin != 0 {
		d.buf = append(make([]byte, 0, min(2*have, have+d.remaining)), d.buf...)
	}
	d.buf = append(d.buf, piece...)
}

// readHeader takes the bytes of the current frame's header from p and returns how many it took. Once the header is
// complete, the phase is inPayload. Errors in the first two bytes are reported as soon as those are there.
func (d *Decoder) readHeader(p []byte) (int, error) {
	taken := 0
	for d.headLen < 2 {
		if taken == len(p) {
			return taken, nil
		}
		d.head[d.headLen] = p[taken]
		d.headLen++
		taken++
		if d.headLen == 2 {
			if err := d.checkStart(); err != nil {
				return taken, err
			}
		}
	}
	size := 6
	switch d.head[1] & bitsLength {
	case lengthIs16:
		size += 2
	case lengthIs64:
		size += 8
	}
	n := copy(d.head[d.headLen:size], p[taken:])
	taken += n
	d.headLen += uint8(n)
	if int(d.headLen) < size {
		return taken, nil
	}
	d.headLen = 0
	d.key = binary.LittleEndian.Uint32(d.head[size-4 : size])
	d.phase = inPayload
	return taken, d.checkLength()
}

// checkStart checks the first two bytes of a header (§5.2, §5.4, §5.5).
func (d *Decoder) checkStart() error {
	fin, op := d.head[0]&bitFin != 0, Opcode(d.head[0]&bitsOpcode)
	if rsv := d.head[0] & bitsRSV; rsv != 0 && (rsv != bitRSV1 || !d.Deflate || op != OpText && op != OpBinary) {
		return errReservedBits // RSV1 is allowed only on the first frame of a message (RFC 7692 §6.1)
	}
	if d.head[1]&bitMask == 0 {
		return errUnmasked // §5.1
	}
	switch op {
	case OpClose, OpPing, OpPong:
		if !fin {
			return errControlSplit
		}
		if d.head[1]&bitsLength > maxControlPayload {
			return errControlLength
		}
		return nil
	case OpContinuation:
		if d.message == 0 {
			return errContinuation
		}
	case OpText, OpBinary:
		if d.message != 0 {
			return errInterrupted
		}
	default:
		return errReservedOpcode
	}
	if d.fragments >= MaxFragments {
		return errFragments
	}
	return nil
}

// checkLength reads the payload length from a complete header and checks it against the limit, before any byte of the
// payload is read (§5.2, §7.4.1 for 1009).
func (d *Decoder) checkLength() error {
	length := uint64(d.head[1] & bitsLength)
	switch length {
	case lengthIs16:
		length = uint64(binary.BigEndian.Uint16(d.head[2:4]))
		if length <= maxControlPayload {
			return errLengthForm
		}
	case lengthIs64:
		length = binary.BigEndian.Uint64(d.head[2:10])
		if length>>63 != 0 {
			return errLengthSign
		}
		if length <= maxLength16 {
			return errLengthForm
		}
	}
	if !d.opcode().isControl() && length > uint64(d.room()-len(d.buf)) {
		return errTooBig
	}
	d.remaining = int(length)
	return nil
}

func (d *Decoder) limit() int {
	if d.MaxMessage <= 0 {
		return DefaultMaxMessage
	}
	return d.MaxMessage
}

// opcode returns that of the current frame.
func (d *Decoder) opcode() Opcode { return Opcode(d.head[0] & bitsOpcode) }

// frame ends the current frame. piece is its payload, or the last part of it.
func (d *Decoder) frame(piece []byte, h Handler) error {
	op := d.opcode()
	if op.isControl() {
		return d.control(op, piece, h)
	}
	if op == OpContinuation {
		op = d.message &^ bitRSV1
	}
	deflated := d.deflated()
	if d.head[0]&bitFin == 0 {
		if d.message = op; deflated {
			d.message |= bitRSV1
		}
		d.fragments++
		d.buf = append(d.buf, piece...)
		return nil
	}
	data := piece
	if len(d.buf) > 0 {
		d.keep(piece)
		data = d.buf
	}
	d.buf, d.message, d.fragments = nil, 0, 0
	if deflated {
		return d.inflate(op, data, h)
	}
	return deliver(op, data, h)
}

func deliver(op Opcode, data []byte, h Handler) error {
	// §8.1. Checked only when complete: the limit bounds the work done in vain.
	if op == OpText && !utf8.Valid(data) {
		return errText
	}
	return h.Message(op, data)
}

// control delivers a control frame. If it came in pieces, the earlier ones are at the end of buf, after the message in
// progress, and are removed again.
func (d *Decoder) control(op Opcode, piece []byte, h Handler) error {
	data := piece
	if early := int(d.head[1]&bitsLength) - len(piece); early > 0 {
		kept := len(d.buf) - early
		d.buf = append(d.buf, piece...)
		data = d.buf[kept:]
		if d.buf = d.buf[:kept]; kept == 0 {
			d.buf = nil
		}
	}
	if op == OpClose {
		if _, _, err := ParseClose(data); err != nil {
			return err
		}
		d.phase, d.buf = afterClose, nil
	}
	return h.Control(op, data)
}
