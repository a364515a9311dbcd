//go:build linux

package swarm

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"golang.org/x/sys/unix"
)

// target is a resolved server.
type target struct {
	ip     net.IP // 4 bytes for IPv4
	port   int
	host   string // for the Host header
	path   string
	origin string
}

// parseTarget resolves http://host[:port][/path]. There is no TLS, because the generator's own encryption would be
// measured, too.
func parseTarget(raw, origin string) (target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, fmt.Errorf("swarm: url: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "ws" {
		return target{}, fmt.Errorf("swarm: url %q: the scheme must be http or ws", raw)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	addr, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return target{}, fmt.Errorf("swarm: url: %w", err)
	}
	t := target{ip: addr.IP, port: addr.Port, host: u.Host, path: u.Path, origin: origin}
	if v4 := addr.IP.To4(); v4 != nil {
		t.ip = v4
	}
	if t.path == "" || t.path == "/" {
		t.path = "/socket.io/"
	}
	return t, nil
}

func (t target) sockaddr() (family int, sa unix.Sockaddr) {
	if len(t.ip) == net.IPv4len {
		return unix.AF_INET, &unix.SockaddrInet4{Port: t.port, Addr: [4]byte(t.ip)}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: t.port, Addr: [16]byte(t.ip)}
}

// dial opens a non-blocking connection and waits until it is established. source is the last byte of the local 127.0.0.x
// address, 0 to let the kernel choose.
func (t target) dial(source byte, deadline time.Time) (fd int, err error) {
	if fd, err = t.begin(source); err != nil {
		return -1, err
	}
	if err = waitFor(fd, unix.POLLOUT, deadline); err == nil {
		var code int
		code, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("connect: %w", err)
	}
	return fd, nil
}

// begin opens a non-blocking connection, which may not be established yet.
func (t target) begin(source byte) (fd int, err error) {
	family, sa := t.sockaddr()
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
			fd = -1
		}
	}()
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fd, fmt.Errorf("nodelay: %w", err)
	}
	if source != 0 && family == unix.AF_INET {
		// The port is chosen only at connect, so that one local port can serve connections to several servers.
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return fd, fmt.Errorf("bind without port: %w", err)
		}
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, source}}); err != nil {
			return fd, fmt.Errorf("bind: %w", err)
		}
	}
	err = unix.Connect(fd, sa)
	if err == nil || errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.EINTR) {
		return fd, nil
	}
	return fd, fmt.Errorf("connect: %w", err)
}

var errTimeout = errors.New("timed out")

// waitFor blocks until fd is ready for one of the events; at the deadline it returns errTimeout.
func waitFor(fd int, events int16, deadline time.Time) error {
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return errTimeout
		}
		fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
		n, err := unix.Poll(fds, int(left.Milliseconds())+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if n > 0 {
			return nil
		}
	}
}
