package engineio

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// scratchSize is how much a worker joins into one write. Larger frames are written as they are.
const scratchSize = 64 << 10

var writers = sync.Pool{New: func() any { return newWriter() }}

// writer holds what a flusher worker needs for non-blocking writes, made once.
type writer struct {
	// turn is here and not on the worker's stack, which would then outgrow a new goroutine's and be copied
	// for every lone message.
	turn    [maxTurn]*Session
	packets []*Packet
	scratch []byte

	// attempt calls write(2) once for out; a field, so that no closure is made per write.
	attempt func(fd uintptr) bool
	out     []byte
	n       int
	err     error
}

func newWriter() *writer {
	w := &writer{scratch: make([]byte, 0, scratchSize)}
	w.attempt = func(fd uintptr) bool {
		w.n, w.err = writeNonBlocking(fd, w.out)
		return true
	}
	return w
}

// write sends the packets without waiting. It returns what did not fit into the socket's buffer: the
// bytes of rest first, then the packets from index next on. rest is the caller's to keep.
func (w *writer) write(raw syscall.RawConn, packets []*Packet) (rest []byte, next int, err error) {
	for next < len(packets) {
		first := next
		w.out, next = w.join(packets, next)
		w.n, w.err = 0, nil
		err := raw.Write(w.attempt)
		if err == nil {
			err = w.err
		}
		if err != nil && !errors.Is(err, syscall.EAGAIN) {
			w.out = nil
			return nil, next, err
		}
		if w.n < len(w.out) {
			rest = w.out[max(w.n, 0):]
			if next-first > 1 {
				rest = bytes.Clone(rest) // it lies in scratch; a packet alone is shared, however large
			}
			break
		}
	}
	w.out = nil
	return rest, next, nil
}

// join returns the next bytes to write, made of as many packets from index i on as fit the scratch
// buffer, and the index after them. A packet alone is not copied.
func (w *writer) join(packets []*Packet, i int) ([]byte, int) {
	first := packets[i].frame
	if i+1 == len(packets) || len(first)+len(packets[i+1].frame) > scratchSize {
		return first, i + 1
	}
	out := w.scratch[:0]
	for i < len(packets) && len(out)+len(packets[i].frame) <= scratchSize {
		out = append(out, packets[i].frame...)
		i++
	}
	return out, i
}

// writeBlocking sends rest and the packets by ordinary writes, for at most timeout.
func writeBlocking(conn net.Conn, rest []byte, packets []*Packet, timeout time.Duration) error {
	if err := conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	bufs := make(net.Buffers, 0, len(packets)+1)
	if len(rest) > 0 {
		bufs = append(bufs, rest)
	}
	for _, p := range packets {
		bufs = append(bufs, p.frame)
	}
	if _, err := bufs.WriteTo(conn); err != nil {
		return err
	}
	return conn.SetWriteDeadline(time.Time{})
}
