//go:build linux

package swarm_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"parley/test/load/internal/floor"
	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func token(user string) (string, error) { return "token-of-" + user, nil }

// crowd opens a swarm against a floor server.
func crowd(t *testing.T, server *floor.Server, cfg swarm.Config) *swarm.Swarm {
	t.Helper()
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	cfg.URL, cfg.Token, cfg.Prefix = web.URL, token, "test"
	s, err := swarm.New(cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func connected(t *testing.T, s *swarm.Swarm) {
	t.Helper()
	connect, err := s.Connect(t.Context())
	require.NoError(t, err)
	require.Equal(t, connect.Wanted, connect.Done, "%v", connect.Errors)
	join, err := s.Join(t.Context())
	require.NoError(t, err)
	require.Equal(t, join.Wanted, join.Done, "%v", join.Errors)
}

// plan is 100 messages within 200 ms, half of them warm-up.
func plan() swarm.Plan {
	return swarm.Plan{
		Rate: 500, Warmup: 100 * time.Millisecond, Duration: 100 * time.Millisecond,
		Size: 64, Senders: 4, Drain: 10 * time.Second, Quiet: 5 * time.Second,
	}
}

func run(t *testing.T, s *swarm.Swarm) swarm.Outcome {
	t.Helper()
	out, err := s.Run(t.Context(), plan())
	require.NoError(t, err)
	return out
}

// shortQuiet is for runs in which something never comes.
const shortQuiet = 400 * time.Millisecond

// lossy is a run in which something never comes.
func lossy(t *testing.T, s *swarm.Swarm) swarm.Outcome {
	t.Helper()
	p := plan()
	p.Quiet = shortQuiet
	out, err := s.Run(t.Context(), p)
	require.NoError(t, err)
	return out
}

func TestSwarm_Run(t *testing.T) {
	t.Parallel()
	t.Run("every message reaches every member of its room once and in order", func(t *testing.T) {
		s := crowd(t, &floor.Server{}, swarm.Config{Clients: 30, Rooms: 3, Loops: 2, Sample: 1})
		connected(t, s)
		meters := 0
		p := plan()
		p.Meter = func() swarm.Meter {
			meters++
			return swarm.Meter{ServerCPU: time.Duration(meters) * time.Second}
		}
		out, err := s.Run(t.Context(), p)
		require.NoError(t, err)
		assert.Equal(t, 100, out.Intended)
		assert.Equal(t, 100, out.Accepted)
		assert.Zero(t, out.Unanswered)
		assert.Zero(t, out.SeqGaps)
		assert.Equal(t, tally.Deliveries{Expected: 1000, Received: 1000}, out.Deliveries)
		assert.Equal(t, uint64(500), out.Latency.Count, "only the window is measured: 50 messages, 10 members")
		assert.Equal(t, uint64(50), out.LastOne.Count)
		assert.Equal(t, uint64(50), out.Acks.Count)
		assert.Equal(t, uint64(50), out.Late.Count)
		assert.GreaterOrEqual(t, out.LastOne.P50, out.Latency.P50)
		assert.Equal(t, uint64(1000), out.Checked)
		assert.Zero(t, out.Malformed, out.Example)
		assert.Empty(t, out.Dropped)
		assert.Equal(t, time.Second, out.To.ServerCPU-out.From.ServerCPU, "both ends are metered")
		assert.Greater(t, out.To.At, out.From.At)
	})

	t.Run("a second run counts for itself", func(t *testing.T) {
		s := crowd(t, &floor.Server{}, swarm.Config{Clients: 5})
		connected(t, s)
		first, second := run(t, s), run(t, s)
		assert.Equal(t, tally.Deliveries{Expected: 500, Received: 500}, first.Deliveries)
		assert.Equal(t, first.Deliveries, second.Deliveries)
		assert.GreaterOrEqual(t, second.From.Delivered, uint64(500), "the counter at a mark never goes back")
		assert.Zero(t, second.SeqGaps)
		assert.Zero(t, second.Malformed, second.Example)
	})

	for name, c := range map[string]struct {
		deliver func(receiver int, seq uint64, frame []byte, write func([]byte))
		want    tally.Deliveries
	}{
		"a message that one receiver did not get is lost": {
			func(receiver int, seq uint64, frame []byte, write func([]byte)) {
				if receiver != 2 || seq != 40 {
					write(frame)
				}
			},
			tally.Deliveries{Expected: 500, Received: 499, Lost: 1},
		},
		"the last message, missing, is lost": {
			func(receiver int, seq uint64, frame []byte, write func([]byte)) {
				if receiver != 4 || seq != 100 {
					write(frame)
				}
			},
			tally.Deliveries{Expected: 500, Received: 499, Lost: 1},
		},
		"a message sent twice to one receiver is doubled": {
			func(receiver int, seq uint64, frame []byte, write func([]byte)) {
				write(frame)
				if receiver == 1 && seq%50 == 0 {
					write(frame)
				}
			},
			tally.Deliveries{Expected: 500, Received: 500, Doubled: 2},
		},
		"two messages swapped for one receiver are reordered": {swapper(), tally.Deliveries{Expected: 500, Received: 500, Reordered: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := crowd(t, &floor.Server{Deliver: c.deliver}, swarm.Config{Clients: 5})
			connected(t, s)
			out := lossy(t, s)
			assert.Equal(t, c.want, out.Deliveries)
			assert.Zero(t, out.SeqGaps)
			if c.want.Lost > 0 {
				assert.InEpsilon(t, tally.Never.Seconds()*1000, out.Latency.Max, 0.01, "and the worst latency there is")
			}
		})
	}

	t.Run("a connection ended by the server loses what follows", func(t *testing.T) {
		closeFrame := []byte{0x88, 0x00}
		server := &floor.Server{Deliver: func(receiver int, seq uint64, frame []byte, write func([]byte)) {
			if receiver == 4 && seq == 51 {
				frame = closeFrame
			}
			write(frame)
		}}
		s := crowd(t, server, swarm.Config{Clients: 5, Joining: 1})
		connected(t, s)
		out := lossy(t, s)
		assert.Equal(t, map[string]int{"closed by the server": 1}, out.Dropped)
		assert.Equal(t, 4, s.Open())
		assert.Equal(t, tally.Deliveries{Expected: 500, Received: 450, Lost: 50}, out.Deliveries)
	})

	t.Run("stalled clients are receivers until they stall, and then are not expected to receive", func(t *testing.T) {
		s := crowd(t, &floor.Server{}, swarm.Config{Clients: 10, Stalled: 4})
		connected(t, s)
		assert.Equal(t, tally.Deliveries{Expected: 1000, Received: 1000}, run(t, s).Deliveries)
		s.Stall()
		out := run(t, s)
		assert.Equal(t, tally.Deliveries{Expected: 600, Received: 600}, out.Deliveries)
		assert.Zero(t, out.Ended)
	})

	t.Run("contents have all sizes of the range", func(t *testing.T) {
		s := crowd(t, &floor.Server{}, swarm.Config{Clients: 3, Sample: 1})
		connected(t, s)
		p := plan()
		p.Rate, p.Size, p.MaxSize = 100, 200, 70_000
		p.Warmup, p.Duration = 0, p.Warmup+p.Duration
		out, err := s.Run(t.Context(), p)
		require.NoError(t, err)
		assert.Equal(t, tally.Deliveries{Expected: 60, Received: 60}, out.Deliveries)
		assert.Zero(t, out.Malformed, out.Example)
		assert.Equal(t, uint64(60), out.Checked)
	})

	t.Run("an ended context ends the run", func(t *testing.T) {
		s := crowd(t, &floor.Server{}, swarm.Config{Clients: 3})
		connected(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		p := plan()
		p.Duration = time.Hour
		p.Meter = func() swarm.Meter { cancel(); return swarm.Meter{} }
		_, err := s.Run(ctx, p)
		assert.ErrorIs(t, err, context.Canceled)
	})

	t.Run("a plan without rate, time or room for the stamp is refused", func(t *testing.T) {
		s := crowd(t, &floor.Server{}, swarm.Config{Clients: 1})
		connected(t, s)
		for _, change := range []func(*swarm.Plan){
			func(p *swarm.Plan) { p.Rate = 0 },
			func(p *swarm.Plan) { p.Duration = 0 },
			func(p *swarm.Plan) { p.Size = 10 },
			func(p *swarm.Plan) { p.Senders = 0 },
		} {
			p := plan()
			change(&p)
			_, err := s.Run(t.Context(), p)
			assert.Error(t, err)
		}
	})
}

// swapper gives receiver 3 message 11 before message 10.
func swapper() func(int, uint64, []byte, func([]byte)) {
	var held []byte
	return func(receiver int, seq uint64, frame []byte, write func([]byte)) {
		switch {
		case receiver == 3 && seq == 10:
			held = frame
		case receiver == 3 && seq == 11:
			write(frame)
			write(held)
		default:
			write(frame)
		}
	}
}

func TestSwarm_Connect(t *testing.T) {
	t.Parallel()
	t.Run("each connection presents its user's token", func(t *testing.T) {
		var bodies atomic.Int64
		server := &floor.Server{Admit: func(body []byte) string {
			if strings.Contains(string(body), `"token":"token-of-test-user-`) {
				bodies.Add(1)
			}
			return ""
		}}
		s := crowd(t, server, swarm.Config{Clients: 7, Users: 3})
		connected(t, s)
		assert.Equal(t, int64(7), bodies.Load())
	})

	t.Run("a refusal is final, and who never connected loses every message", func(t *testing.T) {
		var refusals atomic.Int64
		server := &floor.Server{Admit: func(body []byte) string {
			if strings.Contains(string(body), `user-2"`) {
				refusals.Add(1)
				return "TOKEN_EXPIRED"
			}
			return ""
		}}
		s := crowd(t, server, swarm.Config{Clients: 5})
		connect, err := s.Connect(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 4, connect.Done)
		assert.Equal(t, map[string]int{"refused: TOKEN_EXPIRED": 1}, connect.Errors)
		assert.Equal(t, int64(1), refusals.Load())
		join, err := s.Join(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 4, join.Done)
		out := lossy(t, s)
		assert.Equal(t, tally.Deliveries{Expected: 500, Received: 400, Lost: 100}, out.Deliveries)
	})

	t.Run("nobody listening is tried again, and then reported", func(t *testing.T) {
		web := httptest.NewServer(&floor.Server{})
		web.Close()
		s, err := swarm.New(swarm.Config{URL: web.URL, Token: token, Clients: 2, Attempts: 2, Prefix: "test"})
		require.NoError(t, err)
		defer s.Close()
		connect, err := s.Connect(t.Context())
		require.NoError(t, err)
		assert.Zero(t, connect.Done)
		assert.Equal(t, 2, connect.Retries)
		assert.Equal(t, map[string]int{"connect: connection refused": 4}, connect.Errors)
		_, err = s.Run(t.Context(), plan())
		assert.Error(t, err, "nobody can send")
	})

	t.Run("several local addresses are used", func(t *testing.T) {
		s := crowd(t, &floor.Server{}, swarm.Config{Clients: 6, Sources: 3})
		connected(t, s)
		assert.True(t, run(t, s).Deliveries.Clean())
	})

	t.Run("the connect rate is kept", func(t *testing.T) {
		s := crowd(t, &floor.Server{}, swarm.Config{Clients: 11, ConnectRate: 50})
		connect, err := s.Connect(t.Context())
		require.NoError(t, err)
		assert.GreaterOrEqual(t, connect.Seconds, 0.2)
	})
}

func TestNew(t *testing.T) {
	good := swarm.Config{URL: "http://127.0.0.1:1", Token: token, Clients: 10, Prefix: "test"}
	_, err := swarm.New(good)
	require.NoError(t, err)
	for name, change := range map[string]func(*swarm.Config){
		"no client":                    func(c *swarm.Config) { c.Clients = 0 },
		"more rooms than clients":      func(c *swarm.Config) { c.Rooms = 11 },
		"nobody who reads":             func(c *swarm.Config) { c.Stalled = 10 },
		"no token":                     func(c *swarm.Config) { c.Token = nil },
		"TLS":                          func(c *swarm.Config) { c.URL = "https://127.0.0.1:1" },
		"no URL":                       func(c *swarm.Config) { c.URL = ":" },
		"more addresses than loopback": func(c *swarm.Config) { c.Sources = 300 },
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			cfg := good
			change(&cfg)
			_, err := swarm.New(cfg)
			assert.Error(t, err)
		})
	}
}
