// Package netpoll holds connections that cost no goroutine, and so no stack, while nothing comes: their
// descriptors are watched together, and a handler is told when one can be read. Reads and writes never wait.
//
// A goroutine that waits for one connection is what Go programs usually have. It is simple, and it costs 2.5 KiB
// a connection, with another half for what package net keeps: more than everything a quiet chat client
// needs otherwise.
//
// Only Linux has it; elsewhere [Poller.Detach] fails and connections stay with package net.
package netpoll

import "errors"

// ErrWouldBlock says that nothing has come, or the socket's buffer is full.
var ErrWouldBlock = errors.New("netpoll: operation would block")

// Handler is told about one connection.
type Handler interface {
	// Ready says that bytes may have come since the last read that found none. ended says that the end of the
	// stream or an error has come too, or urgent data, at which reads stop: who reads goes on, also after a read
	// that was short, until it finds an error, which may be ErrWouldBlock.
	// It is called by the poller and by Conn.Close, perhaps at the same time, and must not wait.
	Ready(ended bool)
}
