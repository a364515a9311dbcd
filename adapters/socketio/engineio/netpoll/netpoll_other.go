//go:build !linux

package netpoll

import (
	"errors"
	"net"
)

// Conn does not exist on this system.
type Conn struct{}

// Watch fails.
func (*Conn) Watch(Handler) error { return errors.ErrUnsupported }

// Read fails.
func (*Conn) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Write fails.
func (*Conn) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Room returns nil.
func (*Conn) Room() <-chan struct{} { return nil }

// CloseWrite does nothing.
func (*Conn) CloseWrite() {}

// Reset does nothing.
func (*Conn) Reset() {}

// Close does nothing.
func (*Conn) Close() {}

// Poller watches nothing.
type Poller struct{}

// Detach fails, and leaves conn as it is.
func (*Poller) Detach(net.Conn) (*Conn, error) { return nil, errors.ErrUnsupported }
