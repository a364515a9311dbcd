//go:build linux

package swarm

import "golang.org/x/sys/unix"

// tcpEstablished is TCP_ESTABLISHED of Linux's tcp_states.h.
const tcpEstablished = 1

// stuckBuffer is the size in bytes of a stalled client's receive buffer. It keeps the kernel from accepting megabytes that
// nobody reads, so that the server soon notices.
const stuckBuffer = 4096

// Stall makes the last Config.Stalled clients stop reading for good, with their sockets open. Before it, they are receivers
// like all others.
func (s *Swarm) Stall() {
	s.each(func(l *loop) {
		for _, c := range s.clients {
			if c.loop == l && c.stalls && !c.stalled {
				l.stall(c)
			}
		}
	})
}

func (l *loop) stall(c *client) {
	c.stalled = true
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd >= 0 {
		_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_DEL, c.fd, nil)
		_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, stuckBuffer) // without it, it gets stuck later
	}
}

// ended counts the stalled connections that the server has ended. Since nobody reads from them, it asks the kernel.
func (s *Swarm) ended() (n int) {
	for _, c := range s.clients {
		if c.stalls && c.stalled && !c.connected() {
			n++
		}
	}
	return n
}

func (c *client) connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return false
	}
	info, err := unix.GetsockoptTCPInfo(c.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && info.State == tcpEstablished
}
