//go:build linux

package scenario_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/floor"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/wire"
)

// dropping returns a run that drops 40 of 44 connections in 4 conversations, with 400 messages a second.
func dropping(t *testing.T, window string) scenario.Config {
	t.Helper()
	cfg := parleyRecovering(t, scenario.Drop, window)
	cfg.Crowd.Clients, cfg.Crowd.Rooms, cfg.Crowd.Loops = 40, 4, 2
	cfg.Plan.Rate = 400
	return cfg
}

func TestRun_drop(t *testing.T) {
	t.Parallel()

	t.Run("all are dropped at once, come back as who they were, and have missed nothing", func(t *testing.T) {
		t.Parallel()
		cfg := dropping(t, "60s")
		cfg.PID = os.Getpid()
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		require.True(t, r.Supported)
		require.NotNil(t, r.Load)
		assert.Empty(t, r.Load.Fault())
		assert.Equal(t, []int{44, 4, 44}, []int{r.Clients, r.Rooms, r.Users})
		assert.Equal(t, r.Load.Accepted*11, int(r.Load.Deliveries.Received), "each message to the ten dropped and the one who stayed")
		assert.Equal(t, r.Load.Deliveries.Received, r.Load.Checked)
		d := r.Load.Recovery
		require.NotNil(t, d)
		assert.Equal(t, []int{40, 40, 40, 0, 40}, []int{d.Dropped, d.Back, d.Recovered, d.Rejoined, d.Whole})
		assert.InDelta(t, 1, d.Share, 0)
		assert.Positive(t, d.Missed, "messages went on meanwhile")
		assert.Equal(t, []uint64{40, 40}, []uint64{d.BackTook.Count, d.CaughtUp.Count})
		assert.Positive(t, d.Stayed.Count)
		assert.InDelta(t, d.LastBack, d.BackTook.Max, 1+d.LastBack/100)
		assert.Positive(t, d.RSSBefore)
		assert.GreaterOrEqual(t, d.RSSPeak, d.RSSBefore)
		assert.Positive(t, d.RSSAfter)
	})

	t.Run("who is away for longer than the server remembers joins anew, and what it missed is lost", func(t *testing.T) {
		t.Parallel()
		r, err := scenario.Run(t.Context(), dropping(t, "1ms"))
		require.NoError(t, err)
		require.NotNil(t, r.Load)
		d := r.Load.Recovery
		assert.Equal(t, []int{40, 40}, []int{d.Dropped, d.Back})
		assert.Less(t, d.Recovered, 40)
		assert.Equal(t, 40, d.Recovered+d.Rejoined)
		assert.LessOrEqual(t, d.Whole, d.Recovered)
		assert.Less(t, d.Share, 1.0)
		assert.Positive(t, r.Load.Deliveries.Lost)
		assert.Contains(t, r.Load.Fault(), "40 are back and")
	})

	for name, c := range map[string]struct {
		copies int
		check  func(t *testing.T, l *scenario.Load)
	}{
		"a message lost on the way back is noticed": {0, func(t *testing.T, l *scenario.Load) {
			assert.Equal(t, []uint64{1, 0}, []uint64{l.Deliveries.Lost, l.Deliveries.Doubled})
		}},
		"a message that comes twice on the way back is noticed": {2, func(t *testing.T, l *scenario.Load) {
			assert.Equal(t, []uint64{0, 1}, []uint64{l.Deliveries.Lost, l.Deliveries.Doubled})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := dropping(t, "60s")
			var done atomic.Bool
			cfg.Server = through(t, cfg.Server, func(connection int) int {
				if connection > 44 && !done.Swap(true) { // the first message to one that is back
					return c.copies
				}
				return 1
			})
			r, err := scenario.Run(t.Context(), cfg)
			require.NoError(t, err)
			require.NotNil(t, r.Load)
			c.check(t, r.Load)
			assert.NotEmpty(t, r.Load.Fault())
			d := r.Load.Recovery
			assert.Equal(t, []int{40, 39}, []int{d.Recovered, d.Whole})
			assert.InDelta(t, 39.0/40, d.Share, 1e-9)
		})
	}

	t.Run("a loss of one who stayed makes the share less than one, too", func(t *testing.T) {
		t.Parallel()
		cfg := dropping(t, "60s")
		var dropped atomic.Bool
		cfg.Crowd.Dialers, cfg.Crowd.ConnectRate = 1, 1e6
		cfg.Server = through(t, cfg.Server, func(connection int) int {
			if connection == 1 && !dropped.Swap(true) {
				return 0
			}
			return 1
		})
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.Equal(t, uint64(1), r.Load.Deliveries.Lost)
		assert.Equal(t, 40, r.Load.Recovery.Whole)
		assert.InDelta(t, 40.0/41, r.Load.Recovery.Share, 1e-9)
	})

	t.Run("a server that does not recover connections is said not to support it", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, scenario.Drop, &floor.Server{})
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.False(t, r.Supported)
		assert.Contains(t, r.Missing, "pid")
		assert.Nil(t, r.Load)
	})

	t.Run("it is not for those who poll", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, scenario.Drop, &floor.Server{})
		cfg.Crowd.Polling = true
		_, err := scenario.Run(t.Context(), cfg)
		assert.ErrorContains(t, err, "WebSocket alone")
	})
}

// through returns the address of a proxy before the server, which passes each message event on as often as copies says.
// Connections are numbered from 1. When a client goes, the server's side is reset.
func through(t *testing.T, server string, copies func(connection int) int) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var work sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	work.Go(func() {
		for n := 1; ; n++ {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", server[len("http://"):])
			if !assert.NoError(t, err) {
				return
			}
			mu.Lock()
			open = append(open, client, upstream)
			mu.Unlock()
			work.Go(func() {
				_, _ = io.Copy(upstream, client)
				_ = upstream.(*net.TCPConn).SetLinger(0)
				upstream.Close()
			})
			work.Go(func() {
				defer client.Close()
				pass(client, upstream, func() int { return copies(n) })
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		work.Wait()
	})
	return "http://" + listener.Addr().String()
}

// pass copies what the server sends on a WebSocket connection, until either end is gone.
func pass(client io.Writer, upstream io.Reader, copies func() int) {
	var b []byte
	buf := make([]byte, 32<<10)
	upgraded := false
	for {
		n, err := upstream.Read(buf)
		if err != nil {
			return
		}
		b = append(b, buf[:n]...)
		if end := bytes.Index(b, []byte("\r\n\r\n")); !upgraded && end >= 0 {
			upgraded = true
			_, _ = client.Write(b[:end+4])
			b = b[end+4:]
		}
		for upgraded {
			f, n, err := wire.Cut(b)
			if err != nil || n == 0 {
				break
			}
			times := 1
			if bytes.HasPrefix(f.Payload, []byte(`42["message"`)) {
				times = copies()
			}
			for range times {
				if _, err := client.Write(b[:n]); err != nil {
					return
				}
			}
			b = b[n:]
		}
	}
}
