package wire

import "errors"

// ErrFragments is a continuation without a beginning, or a new message inside an open one.
var ErrFragments = errors.New("wire: fragments out of order")

// idleCapacity is the largest buffer, in bytes, that a stream keeps between reads for leftovers: there are tens of
// thousands of streams, and most of the time they hold nothing.
const idleCapacity = 1024

// Stream keeps what is unfinished on one connection between reads: the beginning of a frame, and the fragments of a
// message. Reads go through a large buffer that all connections of a reader share, and only leftovers are copied. A stream
// belongs to one goroutine.
//
//	head := s.Load(buf)              // leftovers move to the front of buf
//	n := read(buf[head:])
//	rest := s.Join(buf, head, n)     // all bytes not yet cut
//	... Cut(rest) until it takes 0 ...
//	s.Keep(rest)
type Stream struct {
	left      []byte
	fragments []byte
	op        byte // of the message in fragments, 0 if none
}

// Load copies the leftovers to the front of buf and returns their length. If they would fill more than half of buf, as
// those of a very long frame, they stay where they are and Load returns 0.
func (s *Stream) Load(buf []byte) int {
	if len(s.left) > len(buf)/2 {
		return 0
	}
	return copy(buf, s.left)
}

// Join returns the leftovers followed by the n bytes read into buf[head:]. head is what Load
// returned. The result is valid until the next use of buf or s.
func (s *Stream) Join(buf []byte, head, n int) []byte {
	if head == len(s.left) {
		return buf[:head+n]
	}
	s.left = append(s.left, buf[:n]...)
	return s.left
}

// Keep stores what could not be cut yet.
func (s *Stream) Keep(rest []byte) {
	if len(rest) <= idleCapacity && cap(s.left) > idleCapacity {
		s.left = append([]byte(nil), rest...)
		return
	}
	s.left = append(s.left[:0], rest...)
}

// Whole returns the message that a data frame completes, with its opcode; ok is false while fragments are missing. Do not
// call it with control frames, which may come between fragments.
func (s *Stream) Whole(f Frame) (op byte, payload []byte, ok bool, err error) {
	continues := f.Op == OpContinuation
	if continues != (s.op != 0) {
		return 0, nil, false, ErrFragments
	}
	if f.Fin && !continues {
		return f.Op, f.Payload, true, nil
	}
	if len(s.fragments)+len(f.Payload) > MaxFrame {
		return 0, nil, false, ErrFrameTooLarge
	}
	if !continues {
		s.op = f.Op
	}
	s.fragments = append(s.fragments, f.Payload...)
	if !f.Fin {
		return 0, nil, false, nil
	}
	op, payload = s.op, s.fragments
	s.op, s.fragments = 0, nil
	return op, payload, true, nil
}
