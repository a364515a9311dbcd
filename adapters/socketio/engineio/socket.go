package engineio

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"parley/adapters/socketio/engineio/netpoll"
)

// readBufferSize is how much is read at a time, in bytes.
const readBufferSize = 16 << 10

var readBuffers = sync.Pool{New: func() any { return new([readBufferSize]byte) }}

// socket is the connection beneath a WebSocket, without its framing. It has one of two forms. Where possible, which is
// on Linux and without TLS, it is polled by package netpoll: reads and writes do not wait, and it needs no goroutine
// while nothing arrives. Otherwise it is conn: a goroutine reads, and goroutines that write wait. ("Polled" is not to
// be confused with the polling transport.)
type socket struct {
	conn   net.Conn      // nil if polled
	polled *netpoll.Conn // nil if not
	// deflate is the size, in bytes, of the largest message that may be sent compressed; 0 if the client has not
	// negotiated compression.
	deflate int
}

// detach turns the socket into a polled one, if possible. Nothing else may be using it.
func (s *socket) detach(poller *netpoll.Poller) {
	if polled, err := poller.Detach(s.conn); err == nil {
		s.conn, s.polled = nil, polled
	}
}

// close ends the connection; reads and writes that are waiting return.
func (s *socket) close() {
	if s.polled != nil {
		s.polled.Close()
		return
	}
	_ = s.conn.Close() // nothing is left to do about a failed close
}

// reset makes close discard what the kernel still holds for a client that does not read.
func (s *socket) reset() {
	if s.polled != nil {
		s.polled.Reset()
	} else if tcp, ok := s.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // only an optimisation
	}
}

// farewellTimeout is how long a client may take to close its side after the server has closed its own.
const farewellTimeout = time.Second

// hurry gives the client farewellTimeout for everything that is still to be read.
func (s *socket) hurry() {
	if s.polled != nil {
		time.AfterFunc(farewellTimeout, s.polled.Close)
		return
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(farewellTimeout)) // if it fails, the connection is gone
}

// closeWrite closes the server's side of the connection. The reader goes on until the client closes too, so that the
// client can read everything before its connection is gone.
func (s *socket) closeWrite() {
	s.hurry()
	if s.polled != nil {
		s.polled.CloseWrite()
	} else if half, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // as in hurry
	}
}

// WriteSlice is how many bytes a client may take Config.WriteTimeout for: a large answer then needs no faster line than a full
// outbox.
const WriteSlice = 1 << 20

// write sends rest and then the packets. It waits at most timeout for the client to take each WriteSlice of them, then
// fails with os.ErrDeadlineExceeded.
func (s *socket) write(rest []byte, packets []*Packet, timeout time.Duration) error {
	if s.polled != nil {
		return s.writePolled(rest, packets, timeout)
	}
	bufs := make(net.Buffers, 0, len(packets)+1)
	if len(rest) > 0 {
		bufs = append(bufs, rest)
	}
	size := len(rest)
	for _, p := range packets {
		bufs = append(bufs, p.frame)
		size += len(p.frame)
	}
	// Nothing tells here how much has been taken: the time for all slices is one.
	if err := s.conn.SetWriteDeadline(time.Now().Add(time.Duration(1+size/WriteSlice) * timeout)); err != nil {
		return err
	}
	if _, err := bufs.WriteTo(s.conn); err != nil {
		return err
	}
	return s.conn.SetWriteDeadline(time.Time{})
}

func (s *socket) writePolled(rest []byte, packets []*Packet, timeout time.Duration) error {
	room := s.polled.Room()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	taken := 0 // of the slice
	for {
		for len(rest) > 0 {
			n, err := s.polled.Write(rest)
			if errors.Is(err, netpoll.ErrWouldBlock) {
				break
			}
			if err != nil {
				return err
			}
			rest = rest[n:]
			taken += n
		}
		if len(rest) == 0 {
			var next int
			var err error
			w := writers.Get().(*writer) // not kept while waiting, because its buffer is large
			rest, next, err = w.write(s.polled, packets)
			writers.Put(w)
			if err != nil {
				return err
			}
			for _, p := range packets[:next] {
				taken += len(p.frame)
			}
			taken -= len(rest)
			packets = packets[next:]
			if len(rest) == 0 && len(packets) == 0 {
				return nil
			}
		}
		if taken >= WriteSlice {
			timer.Reset(timeout)
			taken = 0
		}
		select {
		case <-room:
		case <-timer.C:
			return os.ErrDeadlineExceeded
		}
	}
}
