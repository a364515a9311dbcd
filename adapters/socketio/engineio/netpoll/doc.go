// Package netpoll holds connections that cost no goroutine, and so no stack, while nothing arrives: their descriptors
// are watched together, and a handler is told when one can be read. Reads and writes never wait.
//
// Go programs usually have a goroutine wait for each connection. That is simple, but it costs 2.5 KiB a connection, and
// half as much again for what package net keeps: more than everything else that a quiet chat client needs.
//
// It is available on Linux only; elsewhere [Poller.Detach] fails and connections stay with package net.
package netpoll

import "errors"

// ErrWouldBlock says that nothing has come to be read, or that the socket's buffer is full.
var ErrWouldBlock = errors.New("netpoll: operation would block")

// Handler is told about one connection.
type Handler interface {
	// Ready says that bytes may have come since the last read that found none. ended says that the end of the stream,
	// an error, or urgent data, at which reads stop, has come too: the reader must then go on even after a short read,
	// until a read fails, possibly with ErrWouldBlock. It is called by the poller and by Conn.Close, possibly at the
	// same time, and must not wait.
	Ready(ended bool)
}
