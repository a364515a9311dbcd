package netpoll_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"parley/adapters/socketio/engineio/netpoll"
)

func TestPoller(t *testing.T) {
	t.Run("the goroutine lives while there are connections, and again when others come", func(t *testing.T) {
		p := new(netpoll.Poller)
		others := goleak.IgnoreCurrent()
		for range 3 {
			a, clientA := detached(t, p)
			b, clientB := detached(t, p)
			ra, rb := newReader(a), newReader(b)
			require.NoError(t, a.Watch(ra))
			require.NoError(t, b.Watch(rb))
			_, _ = io.WriteString(clientA, "to a")
			text, _ := ra.read(t)
			assert.Equal(t, "to a", text)
			a.Close()
			_, _ = io.WriteString(clientB, "to b")
			text, _ = rb.read(t)
			assert.Equal(t, "to b", text)
			b.Close()
			for begun := time.Now(); goleak.Find(others) != nil; {
				require.Less(t, time.Since(begun), patience, "the goroutine does not end")
			}
		}
	})

	t.Run("reused descriptors mix nothing up", func(t *testing.T) {
		p := new(netpoll.Poller)
		var clients sync.WaitGroup
		for i := range 16 {
			clients.Go(func() {
				for round := range 50 {
					server, client := pair(t)
					c, err := p.Detach(server)
					if !assert.NoError(t, err) {
						return
					}
					e := &echo{conn: c}
					assert.NoError(t, c.Watch(e))
					text := fmt.Sprintf("%d in round %d", i, round)
					_, _ = io.WriteString(client, text)
					got := make([]byte, len(text))
					_, err = io.ReadFull(client, got)
					assert.NoError(t, err)
					assert.Equal(t, text, string(got))
					if round%2 == 0 {
						_ = client.Close()
					}
					c.Close()
					_ = client.Close()
				}
			})
		}
		clients.Wait()
	})
}

func TestPoller_Detach(t *testing.T) {
	t.Run("other connections are left as they are", func(t *testing.T) {
		server, client := net.Pipe()
		_, err := new(netpoll.Poller).Detach(server)
		require.ErrorIs(t, err, errors.ErrUnsupported)
		go func() { _, _ = io.WriteString(client, "x") }()
		_, err = server.Read(make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, server.Close())
	})

	t.Run("connections that wrap a known one are left as they are: their methods may do more", func(t *testing.T) {
		server, client := pair(t)
		_, err := new(netpoll.Poller).Detach(struct{ *net.TCPConn }{server})
		require.ErrorIs(t, err, errors.ErrUnsupported)
		_, err = io.WriteString(client, "x")
		require.NoError(t, err)
		_, err = server.Read(make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, server.Close())
	})

	t.Run("a closed connection cannot be detached", func(t *testing.T) {
		server, _ := pair(t)
		require.NoError(t, server.Close())
		_, err := new(netpoll.Poller).Detach(server)
		require.ErrorIs(t, err, net.ErrClosed)
	})
}
