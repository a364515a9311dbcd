package netpoll

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
)

// Conn is a connection's descriptor. Its methods may be called by several goroutines at once, but for Read.
type Conn struct {
	poller  *Poller
	handler Handler // guarded by poller.mu; nil until it is watched
	fd      int
	// use counts the calls that are using fd, and has closedBit once it may not be used any more: the number
	// of a descriptor that is closed belongs to somebody else at once.
	use atomic.Int32
	// room is made by the first who waits to write.
	room atomic.Pointer[chan struct{}]
}

const closedBit = 1 << 30

// fcntlDupCloexec is F_DUPFD_CLOEXEC, which package syscall does not name.
const fcntlDupCloexec = 0x406

// Detach takes a TCP or Unix connection out of package net, whose Close it calls: conn must not be used any
// more. It fails for others, also for what is built on such a connection, and when no descriptor is left; conn is
// then as before. Nothing may be using conn meanwhile.
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
	_ = conn.Close() // the connection itself stays open with the second descriptor
	return &Conn{poller: p, fd: int(fd)}, nil
}

// Read reads what has come, or fails with ErrWouldBlock, or with io.EOF at the end.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.do(func() (int, error) { return syscall.Read(c.fd, p) })
	if n == 0 && err == nil && len(p) > 0 {
		return 0, io.EOF
	}
	return n, err
}

// Write writes what fits into the socket's buffer; it fails with ErrWouldBlock if nothing does.
func (c *Conn) Write(p []byte) (int, error) {
	return c.do(func() (int, error) { return syscall.Write(c.fd, p) })
}

// do makes one call that cannot wait, past interrupts.
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

// Room returns the channel on which is told that more may be written, after a Write that did not write all, and
// that the connection is closed. It holds one such news. Who waits has to have called Room before that Write.
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

// CloseWrite says that nothing more will be written.
func (c *Conn) CloseWrite() {
	if c.enter() {
		defer c.leave()
		_ = syscall.Shutdown(c.fd, syscall.SHUT_WR) // if it fails, the connection is gone
	}
}

// Reset makes Close throw away what the kernel still holds for the peer.
func (c *Conn) Reset() {
	if c.enter() {
		defer c.leave()
		_ = syscall.SetsockoptLinger(c.fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1}) // only an optimisation
	}
}

// Close ends the connection, once calls that are under way have returned. It does not wait for them. The handler
// is told that it is ready, since every read fails from now on.
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

// free gives the descriptor back. It leaves the poller first: the number may come again at once.
func (c *Conn) free() {
	c.poller.forget(c)
	_ = syscall.Close(c.fd)
}
