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
	drops  bool // loses its connection in runs with a drop
	loop   *loop

	mu     sync.Mutex // guards the rest of this block
	socket            // the WebSocket, or the connection that polls
	up     *poster    // the connection that posts; nil over WebSocket

	// Owned by the loop.
	stream  wire.Stream
	seen    tally.Receiver
	joined  bool
	stalled bool // does not read any more
	waits   byte // churn: the change not answered yet
	due     time.Duration
	owed    uint64 // highest seq that its membership covers for certain
	resume  resume
}

// socket is one descriptor and the bytes that wait to be written to it. It is guarded by its client's lock.
type socket struct {
	fd     int    // -1 while not open, so that nobody writes to a reused number
	unsent []byte // frames or requests, the first perhaps begun, that the kernel has not taken yet
}

// send writes one text packet to the WebSocket, or posts it. It never blocks: what the kernel does not take is kept, up to
// maxUnsent, and written by the loop.
func (c *client) send(text []byte) error {
	if c.up != nil {
		return c.post(text)
	}
	return c.write(wire.AppendMasked(make([]byte, 0, len(text)+14), wire.OpText, rand.Uint32(), text))
}

func (c *client) write(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeTo(&c.socket, down, frame)
}

// writeTo writes to one of the client's sockets. The caller holds the lock.
func (c *client) writeTo(k *socket, side int32, b []byte) error {
	if k.fd < 0 {
		return errClosed
	}
	if len(k.unsent) > 0 {
		return k.hold(b)
	}
	n, err := writeSome(k.fd, b)
	if err != nil {
		return err
	}
	if n == len(b) {
		return nil
	}
	if err := k.hold(b[n:]); err != nil {
		return err
	}
	return c.loop.watch(c, k.fd, side, unix.EPOLLIN|unix.EPOLLOUT)
}

func (k *socket) hold(b []byte) error {
	if len(k.unsent)+len(b) > maxUnsent {
		return errUnsent
	}
	k.unsent = append(k.unsent, b...)
	return nil
}

// flush writes what is held for a socket that became writable. The caller holds the lock.
func (c *client) flush(k *socket, side int32) error {
	if k.fd < 0 || len(k.unsent) == 0 {
		return nil
	}
	n, err := writeSome(k.fd, k.unsent)
	if err != nil {
		return err
	}
	k.unsent = k.unsent[n:]
	if len(k.unsent) > 0 {
		return nil
	}
	k.unsent = nil
	return c.loop.watch(c, k.fd, side, unix.EPOLLIN)
}

// open hands the client its connected sockets.
func (c *client) open(e established) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fd = e.fd
	if c.up != nil {
		c.up.begin(e, c.loop.swarm.now())
	}
}

// shut closes the sockets.
func (c *client) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close()
	if c.up != nil {
		c.up.close()
		c.up.queue, c.up.queued, c.up.waiting = nil, 0, false
	}
}

// close also takes the socket out of the epoll set, because no other descriptor refers to it.
func (k *socket) close() {
	if k.fd >= 0 {
		_ = unix.Close(k.fd)
	}
	k.fd, k.unsent = -1, nil
}

// isOpen reports whether the connection is open. The result may be outdated when it returns.
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
