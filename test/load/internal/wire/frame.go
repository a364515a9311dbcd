package wire

import (
	"encoding/binary"
	"errors"
)

// Opcodes of RFC 6455, section 5.2.
const (
	OpContinuation byte = 0x0
	OpText         byte = 0x1
	OpBinary       byte = 0x2
	OpClose        byte = 0x8
	OpPing         byte = 0x9
	OpPong         byte = 0xA
)

// MaxFrame is the largest payload accepted, in bytes. The member list of a room of 100,000 fits.
const MaxFrame = 16 << 20

// Errors of frames that a server must not send, or that this reader does not take.
var (
	ErrMaskedFrame   = errors.New("wire: masked frame from a server")
	ErrReservedBits  = errors.New("wire: reserved bits set though no extension was agreed")
	ErrFrameTooLarge = errors.New("wire: frame too large")
)

// Frame is one WebSocket frame. Payload is a part of the bytes it was cut from.
type Frame struct {
	Op      byte
	Fin     bool
	Payload []byte
}

// Cut takes the first frame off b and returns how many bytes it took; 0 means that b does not hold a whole frame yet.
func Cut(b []byte) (Frame, int, error) {
	if len(b) < 2 {
		return Frame{}, 0, nil
	}
	if b[0]&0x70 != 0 {
		return Frame{}, 0, ErrReservedBits
	}
	if b[1]&0x80 != 0 {
		return Frame{}, 0, ErrMaskedFrame
	}
	head, size := 2, uint64(b[1])
	switch size {
	case 126:
		if len(b) < 4 {
			return Frame{}, 0, nil
		}
		head, size = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if len(b) < 10 {
			return Frame{}, 0, nil
		}
		head, size = 10, binary.BigEndian.Uint64(b[2:])
	}
	if size > MaxFrame {
		return Frame{}, 0, ErrFrameTooLarge
	}
	end := head + int(size)
	if len(b) < end {
		return Frame{}, 0, nil
	}
	return Frame{Op: b[0] & 0x0F, Fin: b[0]&0x80 != 0, Payload: b[head:end]}, end, nil
}

// AppendMasked appends one final frame as a client must send it, masked with key, and returns
// the extended slice.
func AppendMasked(dst []byte, op byte, key uint32, payload []byte) []byte {
	dst = append(dst, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n <= 0xFFFF:
		dst = append(dst, 0x80|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, 0x80|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	dst = binary.BigEndian.AppendUint32(dst, key)
	start := len(dst)
	dst = append(dst, payload...)
	mask(dst[start:], key)
	return dst
}

// mask applies RFC 6455, section 5.3, eight bytes at a time.
func mask(b []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for len(b) >= 8 {
		binary.BigEndian.PutUint64(b, binary.BigEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(key >> (24 - 8*(i%4)))
	}
}
