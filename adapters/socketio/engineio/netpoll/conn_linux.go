package netpoll

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
)

// Conn is the descriptor of a connection. Its methods may be called concurrently, except Read.
type Conn struct {
	poller  *Poller
	handler Handler // guarded by poller.mu; nil unless watched
	fd      int
	// use counts the calls that are using fd. closedBit is set once fd must not be used any more: the number of a
	// closed descriptor may be reused at once.
	use atomic.Int32
	// room is created by the first call of Room.
	room atomic.Pointer[chan struct{}]
}

const closedBit = 1 << 30

// fcntlDupCloexec is F_DUPFD_CLOEXEC, which package syscall does not name.
const fcntlDupCloexec = 0x406

// Detach takes a TCP or Unix connection out of package net. It closes conn, which must not be used any more. It fails
// for other types, also for those that wrap such a connection, and if no descriptor is left; conn is then unchanged.
// Nothing else may be using conn.
func (p *Poller) Detach(conn net.Conn) (*Conn, error) {
	var raw syscall.RawConn
	var err error
	switch c := conn.(type) {
	case *net.TCPConn:
		raw, err = c.SyscallConn()
	case *net.UnixConn:
		raw, err = c.SyscallConn()
	default:
		err = errors.ErrUnsupported
	}
	if err != nil {
		return nil, err
	}
	var fd uintptr
	var errno syscall.Errno
	err = raw.Control(func(old uintptr) {
		fd, _, errno = syscall.RawSyscall(syscall.SYS_FCNTL, old, fcntlDupCloexec, 0)
	})
	if err == nil && errno != 0 {
		err = errno
	}
	if err != nil {
		return nil, err
	}
	_ = conn.Close() // the connection itself stays open through the second descriptor
	return &Conn{poller: p, fd: int(fd)}, nil
}

// Read reads what has come. It fails with ErrWouldBlock if nothing has, and with io.EOF at the end.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.do(func() (int, error) { return syscall.Read(c.fd, p) })
	if n == 0 && err == nil && len(p) > 0 {
		return 0, io.EOF
	}
	return n, err
}

// Write writes as much as fits into the socket's buffer. It fails with ErrWouldBlock if nothing does.
func (c *Conn) Write(p []byte) (int, error) {
	return c.do(func() (int, error) { return syscall.Write(c.fd, p) })
}

// do makes a call that does not wait, again if it is interrupted.
func (c *Conn) do(call func() (int, error)) (n int, err error) {
	if !c.enter() {
		return 0, net.ErrClosed
	}
	defer c.leave()
	for {
		n, err = call()
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EAGAIN):
			return 0, ErrWouldBlock
		case !errors.Is(err, syscall.EINTR):
			return 0, err
		}
	}
}

// Room returns a channel that receives when more may be written, after a Write that did not write everything, and when
// the connection is closed. It holds one value. To wait, Room must have been called before that Write.
func (c *Conn) Room() <-chan struct{} {
	if room := c.room.Load(); room != nil {
		return *room
	}
	room := make(chan struct{}, 1)
	if !c.room.CompareAndSwap(nil, &room) {
		return *c.room.Load()
	}
	return room
}

func (c *Conn) tellRoom() {
	if room := c.room.Load(); room != nil {
		select {
		case *room <- struct{}{}:
		default:
		}
	}
}

// CloseWrite closes the sending side of the connection.
func (c *Conn) CloseWrite() {
	if c.enter() {
		defer c.leave()
		_ = syscall.Shutdown(c.fd, syscall.SHUT_WR) // if it fails, the connection is gone
	}
}

// Reset makes Close discard what the kernel still holds for the peer.
func (c *Conn) Reset() {
	if c.enter() {
		defer c.leave()
		_ = syscall.SetsockoptLinger(c.fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1}) // only an optimisation
	}
}

// Close ends the connection once the calls in progress have returned, without waiting for them. The handler is told
// that the connection is ready, since every read fails from now on.
func (c *Conn) Close() {
	for {
		use := c.use.Load()
		if use&closedBit != 0 {
			return
		}
		if c.use.CompareAndSwap(use, (use+1)|closedBit) {
			break
		}
	}
	defer c.leave()
	c.tellRoom()
	if h := c.poller.handler(c); h != nil {
		h.Ready(true)
	}
}

func (c *Conn) enter() bool {
	for {
		use := c.use.Load()
		if use&closedBit != 0 {
			return false
		}
		if c.use.CompareAndSwap(use, use+1) {
			return true
		}
	}
}

func (c *Conn) closed() bool { return c.use.Load()&closedBit != 0 }

func (c *Conn) leave() {
	if c.use.Add(-1) == closedBit {
		c.free()
	}
}

// free closes the descriptor. The poller forgets it first, since its number may be reused at once.
func (c *Conn) free() {
	c.poller.forget(c)
	_ = syscall.Close(c.fd)
}
