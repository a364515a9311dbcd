package engineio_test

import (
	"net"
	"net/http/httptest"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

// crowd is many sessions on the cheapest connections there are, whose clients only count what they get: each write to
// one is a record of its own (unix(7), SOCK_SEQPACKET). So what is measured is mostly the engine.
type crowd struct {
	sessions []*engineio.Session
	// expected is the number of writes still to come. After the last one, done gets a value.
	expected atomic.Int64
	done     chan struct{}
}

func newCrowd(tb testing.TB, n int) *crowd {
	tb.Helper()
	return newCrowdOf(tb, n, engineio.Config{})
}

// newCrowdOf makes a crowd whose clients offer permessage-deflate.
func newCrowdOf(tb testing.TB, n int, config engineio.Config) *crowd {
	tb.Helper()
	k := &kit{t: tb}
	c := &crowd{done: make(chan struct{}, 1)}
	k.serve(nil, config, []func(*peer){func(p *peer) { c.sessions = append(c.sessions, p.session) }})
	c.expected.Store(int64(n)) // the answers to the handshakes, each with the open packet
	for range n {
		server, client := recordPair(tb)
		go c.count(client)
		r := upgradeRequest()
		r.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate")
		k.engine.ServeHTTP(hijackable{httptest.NewRecorder(), server}, r)
	}
	<-c.done
	return c
}

// recordPair returns the two ends of a connection that keeps records apart.
func recordPair(tb testing.TB) (server, client net.Conn) {
	tb.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET, 0)
	require.NoError(tb, err)
	var ends [2]net.Conn
	for i, fd := range pair {
		file := os.NewFile(uintptr(fd), "socket")
		ends[i], err = net.FileConn(file)
		require.NoError(tb, err)
		require.NoError(tb, file.Close())
	}
	return ends[0], ends[1]
}

// count reads until the server closes.
func (c *crowd) count(client net.Conn) {
	defer client.Close()
	buf := make([]byte, 16<<10)
	for {
		if _, err := client.Read(buf); err != nil {
			return
		}
		if c.expected.Add(-1) == 0 {
			c.done <- struct{}{}
		}
	}
}

// multicast sends the packet to all sessions, and returns when every client has got it.
func (c *crowd) multicast(p *engineio.Packet) {
	c.expected.Store(int64(len(c.sessions)))
	engineio.Multicast(slices.Values(c.sessions), p)
	<-c.done
}
