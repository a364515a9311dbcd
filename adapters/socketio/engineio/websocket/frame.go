package websocket

import "unicode/utf8"

// Opcode says what a frame carries (RFC 6455 §5.2).
type Opcode byte

// Opcodes of RFC 6455 §11.8. All others are reserved.
const (
	OpContinuation Opcode = 0x0
	OpText         Opcode = 0x1
	OpBinary       Opcode = 0x2
	OpClose        Opcode = 0x8
	OpPing         Opcode = 0x9
	OpPong         Opcode = 0xA
)

// isControl reports whether the opcode is that of a control frame: those have the high bit set (§5.5).
func (op Opcode) isControl() bool { return op&0x8 != 0 }

const (
	// MaxHeaderSize is the largest number of bytes that [AppendHeader] appends.
	MaxHeaderSize = 10

	// maxControlPayload is the largest payload of a control frame, in bytes (§5.5).
	maxControlPayload = 125
	// maxCloseReason is what the two bytes of the code leave of maxControlPayload.
	maxCloseReason = maxControlPayload - 2

	bitFin      = 0x80
	bitsRSV     = 0x70
	bitRSV1     = 0x40 // the message is compressed (RFC 7692 §6)
	bitsOpcode  = 0x0F
	bitMask     = 0x80
	bitsLength  = 0x7F
	lengthIs16  = 126
	lengthIs64  = 127
	maxLength16 = 1<<16 - 1
)

// AppendHeader appends the header of a final, unmasked frame with a payload of length bytes, in the shortest form
// (§5.2). Servers must not mask (§5.1), so header and payload together are the same for every recipient.
func AppendHeader(dst []byte, op Opcode, length int) []byte {
	first := bitFin | byte(op)
	switch n := uint64(length); {
	case n <= maxControlPayload:
		return append(dst, first, byte(n))
	case n <= maxLength16:
		return append(dst, first, lengthIs16, byte(n>>8), byte(n))
	default:
		return append(dst, first, lengthIs64,
			byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32),
			byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}

// AppendClose appends a complete Close frame (§5.5.1).
//
// A code of 0, or one that must never be sent (1005, 1006, 1015, §7.4.1), gives a frame without a body. The reason may
// be any text: it is cut to 123 bytes, between two runes, and invalid UTF-8 is replaced by U+FFFD.
func AppendClose(dst []byte, code CloseCode, reason string) []byte {
	switch code {
	case 0, CloseNoStatus, CloseAbnormal, CloseTLSHandshake:
		return append(dst, bitFin|byte(OpClose), 0)
	}
	dst = append(dst, bitFin|byte(OpClose), 0, byte(code>>8), byte(code))
	start := len(dst)
	for _, r := range reason {
		if len(dst)-start+utf8.RuneLen(r) > maxCloseReason {
			break
		}
		dst = utf8.AppendRune(dst, r)
	}
	dst[start-3] = byte(2 + len(dst) - start)
	return dst
}
