package sio_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// network is a listener whose connections are pipes in memory.
type network struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newNetwork() *network {
	return &network{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{} }

func (n *network) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.conns <- server:
		return &line{Conn: client, closed: make(chan struct{})}, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// line is the client's end of a connection. When it stalls, nothing more comes through it, and neither end notices.
type line struct {
	net.Conn
	stalled atomic.Bool
	closed  chan struct{}
	once    sync.Once
}

func (l *line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if l.stalled.Load() {
		<-l.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (l *line) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Conn.Close()
}
