package engineio_test

import (
	"errors"
	"net"
	"sync"
)

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, errListenerClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, errListenerClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

var errListenerClosed = errors.New("listener closed")

// dressing is the kit's listener, which applies dress to the connections it accepts.
type dressing struct {
	net.Listener
	kit *kit
}

func (d dressing) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err == nil && d.kit.dress != nil {
		conn = d.kit.dress(conn)
	}
	return conn, err
}
