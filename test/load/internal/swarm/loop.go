//go:build linux

package swarm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"parley/test/load/internal/wire"
)

const (
	readBuffer = 256 << 10
	eventBatch = 1024
	wakeID     = -1 // the id of the wake-up descriptor among the clients' ids
)

// The two sockets of a client, told apart by the second half of epoll's data: up is the one that posts.
const (
	down int32 = iota
	up
)

// loop reads for its clients on one thread. The fields below todo belong to its goroutine, which ends once a call has set
// stopping.
type loop struct {
	swarm *Swarm
	epoll int
	wake  int // eventfd
	done  chan struct{}

	mu   sync.Mutex
	todo []func()

	stopping bool
	question question
	buf      []byte
	events   []unix.EpollEvent
	tally    loopTally
}

func newLoop(s *Swarm) (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("swarm: epoll: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("swarm: eventfd: %w", err)
	}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: wakeID}); err != nil {
		_, _ = unix.Close(epoll), unix.Close(wake)
		return nil, fmt.Errorf("swarm: epoll: %w", err)
	}
	return &loop{
		swarm: s, epoll: epoll, wake: wake, done: make(chan struct{}),
		buf: make([]byte, readBuffer), events: make([]unix.EpollEvent, eventBatch),
		tally: newLoopTally(len(s.rooms)),
	}, nil
}

// call runs f on the loop's goroutine and waits for it. Once the loop has ended, it returns without running f.
func (l *loop) call(f func()) {
	ran := make(chan struct{})
	l.post(func() {
		f()
		close(ran)
	})
	select {
	case <-ran:
	case <-l.done:
	}
}

// post has f run on the loop's goroutine and does not wait. Once the loop has ended, it does nothing.
func (l *loop) post(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.done: // l.wake is closed
		return
	default:
	}
	l.todo = append(l.todo, f)
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	// It can fail only if the counter is full, and then the loop is awake.
	_, _ = unix.Write(l.wake, one[:])
}

func (l *loop) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer l.end()
	for !l.stopping {
		for _, ev := range l.events[:l.ready()] {
			if ev.Fd == wakeID {
				l.runTodo()
				continue
			}
			c := l.swarm.clients[ev.Fd]
			if ev.Pad == up {
				l.serveUp(c, ev.Events)
				continue
			}
			l.serve(c, ev.Events)
		}
		l.tally.publish(&l.swarm.progress)
	}
}

// ready waits for work and returns how many of l.events are set.
func (l *loop) ready() int {
	if n := l.poll(0); n != 0 {
		return n
	}
	n := l.poll(-1)
	if l.swarm.cfg.Nap <= 0 {
		return n
	}
	nap := unix.NsecToTimespec(l.swarm.cfg.Nap.Nanoseconds())
	// A signal may make the nap shorter, which does no harm.
	_ = unix.Nanosleep(&nap, nil)
	return l.poll(0)
}

func (l *loop) poll(timeout int) int {
	n, err := unix.EpollWait(l.epoll, l.events, timeout)
	if err != nil {
		return 0 // EINTR; the descriptor and the array are valid by construction
	}
	return n
}

func (l *loop) runTodo() {
	var count [8]byte
	_, _ = unix.Read(l.wake, count[:])
	l.mu.Lock()
	todo := l.todo
	l.todo = nil
	l.mu.Unlock()
	for _, f := range todo {
		f()
	}
}

// end closes what the loop owns. The lock keeps post from writing to a closed descriptor.
func (l *loop) end() {
	for _, c := range l.swarm.clients {
		if c.loop == l {
			c.shut()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.done)
	_, _ = unix.Close(l.wake), unix.Close(l.epoll)
}

// established is a connection whose handshake is done.
type established struct {
	fd     int
	rest   []byte // read after the handshake: frames, or the packets of a polling body
	post   int    // polling: the descriptor of the connection that posts
	sid    string // polling: the Engine.IO session id
	source byte   // last byte of the local address, as in target.dial
	// answer is that to CONNECT; zero if the crowd does not recover connections.
	answer wire.Connection
}

// adopt takes over a client whose handshake is done.
func (l *loop) adopt(c *client, e established) error {
	c.open(e)
	c.stream = wire.Stream{}
	c.waits = settled
	c.joined = c.resume.by(e.answer)
	err := l.add(c, e.fd, down)
	if err == nil && c.up != nil {
		err = l.add(c, e.post, up)
	}
	if err != nil {
		c.shut()
		return err
	}
	if c.up != nil {
		l.polled(c, e.rest, l.swarm.now())
		return nil
	}
	now := l.swarm.now()
	l.back(c, now)
	l.cut(c, e.rest, now)
	return nil
}

func (l *loop) add(c *client, fd int, side int32) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.id), Pad: side}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// watch changes the events waited for. The caller holds the client's lock.
func (l *loop) watch(c *client, fd int, side int32, events uint32) error {
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: int32(c.id), Pad: side})
}

// drop ends a connection and counts the reason.
func (l *loop) drop(c *client, reason string) {
	c.shut()
	c.joined = false
	l.tally.dropped[reason]++
}

// serve reads once from a ready client. Level-triggered epoll brings it back if there is more.
func (l *loop) serve(c *client, events uint32) {
	if c.fd < 0 { // only the loop changes fd, so reading it here needs no lock
		return
	}
	if events&unix.EPOLLOUT != 0 {
		c.mu.Lock()
		err := c.flush(&c.socket, down)
		c.mu.Unlock()
		if err != nil {
			l.drop(c, "write: "+err.Error())
			return
		}
	}
	if events&^unix.EPOLLOUT == 0 {
		return
	}
	head := c.stream.Load(l.buf)
	n, err := unix.Read(c.fd, l.buf[head:])
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return
	}
	if err != nil {
		l.drop(c, "read: "+err.Error())
		return
	}
	if n == 0 {
		l.drop(c, "closed by the server")
		return
	}
	b := c.stream.Join(l.buf, head, n)
	if c.up != nil {
		l.cutPoll(c, b, l.swarm.now())
		return
	}
	l.cut(c, b, l.swarm.now())
}

// cut handles all whole frames in b, received at now on the swarm's clock.
func (l *loop) cut(c *client, b []byte, now time.Duration) {
	for {
		f, n, err := wire.Cut(b)
		if err != nil {
			l.drop(c, err.Error())
			return
		}
		if n == 0 {
			c.stream.Keep(b)
			return
		}
		b = b[n:]
		if reason := l.frame(c, f, now); reason != "" {
			l.drop(c, reason)
			return
		}
	}
}
