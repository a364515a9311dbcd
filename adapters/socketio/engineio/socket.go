package engineio

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// readBufferSize is how much is read at a time.
const readBufferSize = 16 << 10

var readBuffers = sync.Pool{New: func() any { return new([readBufferSize]byte) }}

// socket is the connection beneath a WebSocket, without its framing.
type socket struct {
	conn net.Conn
	// raw gives access to the descriptor; nil where there is none, as under TLS.
	raw syscall.RawConn
	// deflate is the size in bytes of the largest message that may be sent compressed; 0 if the client
	// has not negotiated it.
	deflate int
}

func newSocket(conn net.Conn) *socket {
	s := &socket{conn: conn}
	if sc, ok := conn.(syscall.Conn); ok && canRawIO {
		if raw, err := sc.SyscallConn(); err == nil {
			s.raw = raw
		}
	}
	return s
}

// close ends the connection; blocked reads and writes return.
func (s *socket) close() { _ = s.conn.Close() } // nothing is left to do about a failed close

// reset makes close throw away what the kernel still holds for a client that does not read.
func (s *socket) reset() {
	if tcp, ok := s.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // only an optimisation
	}
}

// farewellTimeout is how long a client may take to close its side after the server closed.
const farewellTimeout = time.Second

// hurry gives the client farewellTimeout for all that is still to be read.
func (s *socket) hurry() {
	_ = s.conn.SetReadDeadline(time.Now().Add(farewellTimeout)) // a failed deadline means that the connection is gone
}

// closeWrite says that nothing more will be sent; the reader goes on until the client closes too, so
// that the client reads everything before its connection is gone.
func (s *socket) closeWrite() {
	s.hurry()
	if half, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // as in hurry
	}
}

// source reads from a socket into a pooled buffer. With a descriptor, the buffer is taken only when
// there is something to read, so that an idle connection holds none.
type source struct {
	socket  *socket
	attempt func(fd uintptr) bool
	buf     *[readBufferSize]byte
	n       int
	err     error
}

func newSource(s *socket) *source {
	src := &source{socket: s}
	src.attempt = func(fd uintptr) bool {
		src.take()
		src.n, src.err = readNonBlocking(fd, src.buf[:])
		if errors.Is(src.err, syscall.EAGAIN) {
			src.release()
			return false
		}
		return true
	}
	return src
}

// read waits for bytes. They are valid until release, which the caller owes after each read.
func (src *source) read() ([]byte, error) {
	if src.socket.raw == nil {
		src.take()
		src.n, src.err = src.socket.conn.Read(src.buf[:])
		return src.buf[:src.n], src.err
	}
	if err := src.socket.raw.Read(src.attempt); err != nil {
		return nil, err
	}
	return src.buf[:max(src.n, 0)], src.err
}

func (src *source) take() {
	if src.buf == nil {
		src.buf = readBuffers.Get().(*[readBufferSize]byte)
	}
}

func (src *source) release() {
	if src.buf != nil {
		readBuffers.Put(src.buf)
		src.buf = nil
	}
}
