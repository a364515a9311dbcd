//go:build linux

package swarm

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// maxUnsent bounds the bytes a client holds for a server that does not read.
const maxUnsent = 1 << 20

var (
	errClosed = errors.New("swarm: connection is closed")
	errUnsent = errors.New("swarm: server does not read")
)

// client is one connection. The first block is fixed before it connects.
type client struct {
	id     int
	user   string
	room   int
	stalls bool // Stall makes it stop reading
	churns bool // leaves and joins again in runs with churn
	loop   *loop

	mu     sync.Mutex // guards the rest of this block
	fd     int        // -1 while not open, so that nobody writes to a reused number
	unsent []byte     // whole frames, or the rest of one, which the kernel did not take yet

	// Owned by the loop.
	stream  wire.Stream
	seen    tally.Receiver
	joined  bool
	stalled bool // does not read any more
	waits   byte // churn: the change not answered yet
	due     time.Duration
	owed    uint64 // highest seq that its membership covers for certain
}

// send masks one text packet and writes it. It never blocks: what the kernel does not take is
// kept, up to maxUnsent, and written by the loop.
func (c *client) send(text []byte) error {
	return c.write(wire.AppendMasked(make([]byte, 0, len(text)+14), wire.OpText, rand.Uint32(), text))
}

func (c *client) write(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return errClosed
	}
	if len(c.unsent) > 0 {
		return c.hold(frame)
	}
	n, err := writeSome(c.fd, frame)
	if err != nil {
		return err
	}
	if n == len(frame) {
		return nil
	}
	if err := c.hold(frame[n:]); err != nil {
		return err
	}
	return c.loop.watch(c, unix.EPOLLIN|unix.EPOLLOUT)
}

func (c *client) hold(b []byte) error {
	if len(c.unsent)+len(b) > maxUnsent {
		return errUnsent
	}
	c.unsent = append(c.unsent, b...)
	return nil
}

// flush writes what is held; the loop calls it when the socket became writable.
func (c *client) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 || len(c.unsent) == 0 {
		return nil
	}
	n, err := writeSome(c.fd, c.unsent)
	if err != nil {
		return err
	}
	c.unsent = c.unsent[n:]
	if len(c.unsent) > 0 {
		return nil
	}
	c.unsent = nil
	return c.loop.watch(c, unix.EPOLLIN)
}

// open hands the client its connected socket.
func (c *client) open(fd int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fd = fd
}

// shut closes the socket. Closing also takes it out of the epoll set: no other descriptor
// refers to it.
func (c *client) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd >= 0 {
		_ = unix.Close(c.fd)
	}
	c.fd, c.unsent = -1, nil
}

// isOpen may be outdated when it returns.
func (c *client) isOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fd >= 0
}

// writeSome writes once without blocking; 0 bytes mean that the kernel's buffer is full.
func writeSome(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Write(fd, b)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, unix.EAGAIN):
			return 0, nil
		case !errors.Is(err, unix.EINTR):
			return 0, err
		}
	}
}
