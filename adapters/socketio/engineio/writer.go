package engineio

import (
	"bytes"
	"errors"
	"sync"

	"parley/adapters/socketio/engineio/netpoll"
)

// scratchSize is how much a worker joins into one write, in bytes. Larger frames are written as they are.
const scratchSize = 64 << 10

var writers = sync.Pool{New: func() any { return newWriter() }}

// writer holds what a flusher worker needs for non-blocking writes. It is pooled.
type writer struct {
	// turn is not on the worker's stack, because that would then outgrow a new goroutine's and be copied for every lone
	// message.
	turn    [maxTurn]*Session
	packets []*Packet
	scratch []byte
}

func newWriter() *writer { return &writer{scratch: make([]byte, 0, scratchSize)} }

// write sends the packets without waiting. It returns what did not fit into the socket's buffer: first the bytes of
// rest, then the packets from index next on. The caller may keep rest.
func (w *writer) write(to *netpoll.Conn, packets []*Packet) (rest []byte, next int, err error) {
	for next < len(packets) {
		first := next
		var out []byte
		out, next = w.join(packets, next)
		n, err := to.Write(out)
		if err != nil && !errors.Is(err, netpoll.ErrWouldBlock) {
			return nil, next, err
		}
		if n < len(out) {
			rest = out[n:]
			if next-first > 1 {
				rest = bytes.Clone(rest) // it is in scratch; a frame written alone is shared, however large
			}
			break
		}
	}
	return rest, next, nil
}

// join returns the next bytes to write, and the index of the packet after them. It joins as many packets from index i
// on as fit into scratch; a packet alone is not copied.
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
