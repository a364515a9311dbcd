package netpoll

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// edgeTriggered is EPOLLET, whose value in package syscall is negative.
const edgeTriggered = 1 << 31

const (
	interest = syscall.EPOLLIN | syscall.EPOLLOUT | syscall.EPOLLRDHUP | syscall.EPOLLPRI | edgeTriggered
	ended    = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
	// goOn are those after which a short read does not mean that nothing is left. One is urgent data, at which a
	// read stops (tcp(7)).
	goOn = ended | syscall.EPOLLPRI
)

// Poller watches connections with one goroutine, which lives while there are any. The zero value is ready.
//
// The goroutine waits in the runtime's own poller for its epoll instance to have something to tell, so that no
// thread is taken for it.
type Poller struct {
	mu sync.Mutex // guards the rest; a leaf
	// conns are found by descriptor.
	conns []*Conn
	open  int
	// epoll is nil while there are no connections.
	epoll *os.File
	fd    int // of epoll
}

// Watch begins to tell the handler about the connection, at once if something is there already. It fails if the
// connection is closed, or the kernel can watch no more; the handler is then not told anything.
func (c *Conn) Watch(h Handler) error {
	if !c.enter() {
		return net.ErrClosed
	}
	defer c.leave()
	p := c.poller
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.closed() { // else Close will see the handler
		return net.ErrClosed
	}
	if err := p.start(); err != nil {
		return err
	}
	for c.fd >= len(p.conns) {
		p.conns = append(p.conns, make([]*Conn, max(64, len(p.conns)/4))...)
	}
	p.conns[c.fd], c.handler = c, h
	p.open++
	err := syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, c.fd, &syscall.EpollEvent{Events: interest, Fd: int32(c.fd)})
	if err != nil {
		p.forgetLocked(c)
	}
	return err
}

// handler is nil if the connection is not watched.
func (p *Poller) handler(c *Conn) Handler {
	p.mu.Lock()
	defer p.mu.Unlock()
	return c.handler
}

// start makes the epoll instance, if there is none.
func (p *Poller) start() error {
	if p.epoll != nil {
		return nil
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	// The runtime takes only descriptors into its poller that do not block. This one never does.
	if err := syscall.SetNonblock(fd, true); err != nil {
		return errors.Join(err, syscall.Close(fd))
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err == nil {
		err = file.SetReadDeadline(time.Time{}) // fails if the runtime's poller has not taken it: nobody would be told
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	p.epoll, p.fd = file, fd
	go p.watch(raw)
	return nil
}

// forget ends the watching, if it has begun. The kernel does its part when the descriptor is closed.
func (p *Poller) forget(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetLocked(c)
}

func (p *Poller) forgetLocked(c *Conn) {
	if c.handler == nil {
		return
	}
	p.conns[c.fd], c.handler = nil, nil
	p.open--
	if p.open == 0 {
		go p.epoll.Close() // it waits for the watching goroutine, which may be the one that is here
		p.epoll, p.conns = nil, nil
	}
}

// watch tells handlers until the epoll instance is closed.
func (p *Poller) watch(epoll syscall.RawConn) {
	var events [128]syscall.EpollEvent
	var watched [len(events)]watcher
	_ = epoll.Read(func(fd uintptr) bool {
		for {
			n, err := syscall.EpollWait(int(fd), events[:], 0)
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			if err != nil {
				return true
			}
			p.find(events[:n], watched[:])
			for i, e := range events[:n] {
				watched[i].tell(e.Events)
				watched[i] = watcher{}
			}
			if n < len(events) {
				return false // what comes from now on wakes the runtime's poller again
			}
			runtime.Gosched() // a storm needs fewer stacks if those who were told come first
		}
	})
}

// watcher is a connection and who is told about it.
type watcher struct {
	conn    *Conn
	handler Handler
}

// find looks up the connections of the events. One that was closed meanwhile is not there, or another that has got
// its number: to be told of nothing does no harm.
func (p *Poller) find(events []syscall.EpollEvent, watched []watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range events {
		if int(e.Fd) >= len(p.conns) {
			continue
		}
		if c := p.conns[e.Fd]; c != nil {
			watched[i] = watcher{c, c.handler}
		}
	}
}

func (w watcher) tell(events uint32) {
	if w.conn == nil {
		return
	}
	if events&(syscall.EPOLLOUT|ended) != 0 {
		w.conn.tellRoom()
	}
	if events&(syscall.EPOLLIN|goOn) != 0 {
		w.handler.Ready(events&goOn != 0)
	}
}
