package sio_test

import (
	"context"
	"slices"
	"sync"
	"testing/synctest"

	"parley/adapters/socketio/sio"
)

// crowd is the sockets that are connected to a namespace.
type crowd struct {
	mu      sync.RWMutex
	sockets []*sio.Socket
}

func (c *crowd) gather(n *sio.Namespace) {
	n.OnConnect(func(_ context.Context, s *sio.Socket) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sockets = append(c.sockets, s)
	})
}

func (c *crowd) snapshot() []*sio.Socket {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.sockets)
}

// last returns the socket that connected last.
func (c *crowd) last() *sio.Socket {
	synctest.Wait()
	all := c.snapshot()
	return all[len(all)-1]
}
