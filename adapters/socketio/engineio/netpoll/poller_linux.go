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

// edgeTriggered is EPOLLET, which package syscall defines as a negative number.
const edgeTriggered = 1 << 31

const (
	interest = syscall.EPOLLIN | syscall.EPOLLOUT | syscall.EPOLLRDHUP | syscall.EPOLLPRI | edgeTriggered
	ended    = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
	// goOn are the events after which a short read does not mean that nothing is left. One of them is urgent data, at
	// which a read stops (tcp(7)).
	goOn = ended | syscall.EPOLLPRI
)

// Poller watches connections with one goroutine, which lives while there are any. The zero value is ready to use.
//
// The goroutine waits in the runtime's own poller until its epoll instance has events, so that it does not occupy a
// thread.
type Poller struct {
	mu sync.Mutex // guards the rest; no other lock is taken while it is held
	// conns is indexed by descriptor.
	conns []*Conn
	open  int
	// epoll is nil while there are no connections.
	epoll *os.File
	fd    int // of epoll
}

// Watch begins to tell the handler about the connection, at once if something has come already. It fails if the
// connection is closed or the kernel cannot watch any more; the handler is then told nothing.
func (c *Conn) Watch(h Handler) error {
	if !c.enter() {
		return net.ErrClosed
	}
	defer c.leave()
	p := c.poller
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.closed() { // otherwise Close will see the handler
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

// handler returns the connection's handler, nil if it is not watched.
func (p *Poller) handler(c *Conn) Handler {
	p.mu.Lock()
	defer p.mu.Unlock()
	return c.handler
}

// start creates the epoll instance and starts watch, unless that has been done.
func (p *Poller) start() error {
	if p.epoll != nil {
		return nil
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	// The runtime's poller takes only descriptors in non-blocking mode. This one never blocks anyway.
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

// forget stops watching the connection, if it is watched. The kernel does its part when the descriptor is closed.
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
		go p.epoll.Close() // waits for the watching goroutine, which may be this one
		p.epoll, p.conns = nil, nil
	}
}

// watch tells handlers about events until the epoll instance is closed.
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
				return false // events from now on wake the runtime's poller again
			}
			runtime.Gosched() // a storm needs fewer stacks if those just told run first
		}
	})
}

// watcher is a connection with the handler to be told about it.
type watcher struct {
	conn    *Conn
	handler Handler
}

// find looks up the connections of the events. One that was closed meanwhile is missing, or another has got its number:
// being told for nothing does no harm.
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
