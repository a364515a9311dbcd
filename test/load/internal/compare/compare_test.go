//go:build linux

package compare_test

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"parley/test/load/internal/compare"
	"parley/test/load/internal/floor"
	"parley/test/load/internal/pace"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
)

// The test binary plays a server when it is started as one: PORT is set only by package compare.
func TestMain(m *testing.M) {
	if port := os.Getenv("PORT"); port != "" {
		listener, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			err = http.Serve(listener, &floor.Server{})
		}
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func sample(peer, measurement string, r scenario.Result) compare.Sample {
	return compare.Sample{Peer: peer, Measurement: measurement, Result: r}
}

func room(cpu, p99 float64) scenario.Result {
	return scenario.Result{Load: &scenario.Load{ServerCPUMicros: cpu, Latency: tally.Percentiles{P99: p99}}}
}

func TestReport_WriteMarkdown(t *testing.T) {
	report := compare.Report{
		Config:      compare.Config{Peers: []string{"parley", "node", "floor"}, RoomClients: 1000, RoomRate: 40, IdleClients: 2000},
		Environment: []string{"two cores"},
		Faults:      []string{"node, room, round 1: 3 lost"},
		Samples: []compare.Sample{
			sample("parley", "room", room(12, 9)), sample("node", "room", room(18, 20)), sample("floor", "room", room(10, 8)),
			sample("parley", "room", room(10, 7)), sample("node", "room", room(22, 30)), sample("floor", "room", room(10, 8)),
			sample("parley", "room", room(14, 8)), sample("node", "room", room(20, 25)), sample("floor", "room", room(11, 8)),
			sample("parley", "knee", scenario.Result{Knee: &scenario.Knee{Found: pace.Found{Best: 900}}}),
			sample("node", "knee", scenario.Result{Knee: &scenario.Knee{Found: pace.Found{Best: 60}}}),
			sample("parley", "idle", scenario.Result{
				Memory: &scenario.Memory{Each: 6144, Marginal: 5120},
			}),
			sample("parley", "storm", scenario.Result{Connect: &scenario.Phase{ServerCPUMicros: 90}}),
			sample("node", "idle", scenario.Result{
				Memory: &scenario.Memory{Each: 30 * 1024, Marginal: 20 * 1024},
			}),
			sample("node", "storm", scenario.Result{Connect: &scenario.Phase{ServerCPUMicros: 900}}),
		},
	}
	var b strings.Builder
	require.NoError(t, report.WriteMarkdown(&b))
	assert.Equal(t, `| | parley | node | floor | parley/node | parley/floor |
|---|---|---|---|---|---|
| CPU per delivery, µs (1000 clients, 40 messages/s) | 12.00 (10.00–14.00) | 20.00 (18.00–22.00) | 10.00 (10.00–11.00) | 0.60 | 1.20 |
| latency p99 at that load, ms | 8.0 (7.0–9.0) | 25.0 (20.0–30.0) | 8.0 (8.0–8.0) | 0.32 | 1.00 |
| highest rate, messages/s (1000 clients, p99 < 100 ms, nothing lost) | 900 | 60 | – | 15.00 | – |
| memory per idle connection, KiB (from 0 to 4000 joined clients) | 6.0 | 30.0 | – | 0.20 | – |
| the same from 2000 to 4000, KiB | 5.0 | 20.0 | – | 0.25 | – |
| CPU per connection set-up, µs (token verified) | 90 | 900 | – | 0.10 | – |

- two cores
- **fault**: node, room, round 1: 3 lost
`, b.String())
}

func config(t *testing.T) compare.Config {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return compare.Config{
		Peers: []string{compare.Parley, compare.Floor}, ParleyBinary: self, FloorBinary: self,
		Rounds: 2, KneeRounds: 1, RoomClients: 20, RoomRate: 20, IdleClients: 20,
		RoomTime: 200 * time.Millisecond, KneeTime: 50 * time.Millisecond, IdleTime: 100 * time.Millisecond, Warmup: 50 * time.Millisecond,
		Nap: time.Millisecond, Loops: 1,
	}
}

func TestRun(t *testing.T) {
	t.Run("every peer is measured in every round, interleaved", func(t *testing.T) {
		cfg := config(t)
		cfg.KneeRounds = 0
		report, err := compare.Run(t.Context(), cfg)
		require.NoError(t, err)
		var order []string
		for _, s := range report.Samples {
			order = append(order, s.Peer+" "+s.Measurement)
		}
		round := []string{"parley storm", "floor storm", "parley idle", "parley room", "floor room"}
		assert.Equal(t, append(round, round...), order)
		assert.Empty(t, report.Faults)
		assert.NotEmpty(t, report.Environment)
	})
	t.Run("garbage that was to be collected and was not is a fault", func(t *testing.T) {
		cfg := config(t)
		cfg.Rounds, cfg.KneeRounds, cfg.ForceGC, cfg.Peers = 1, 0, true, []string{compare.Parley}
		report, err := compare.Run(t.Context(), cfg)
		require.NoError(t, err)
		require.Len(t, report.Faults, 1)
		assert.Contains(t, report.Faults[0], "garbage")
	})
	t.Run("a peer that does not start is an error with its output", func(t *testing.T) {
		cfg := config(t)
		cfg.ParleyBinary = "/bin/ls" // ends at once
		_, err := compare.Run(t.Context(), cfg)
		require.Error(t, err)
		assert.Contains(t, err.Error(), "ended before it was ready")
		assert.Contains(t, err.Error(), "compare_test.go")
	})
	t.Run("a peer that cannot be started is an error", func(t *testing.T) {
		cfg := config(t)
		cfg.ParleyBinary = "/nowhere/parley"
		_, err := compare.Run(t.Context(), cfg)
		assert.Error(t, err)
	})
	t.Run("an unknown peer, and one without a place, are errors", func(t *testing.T) {
		cfg := config(t)
		cfg.Peers = []string{"else"}
		_, err := compare.Run(t.Context(), cfg)
		require.Error(t, err)
		cfg.Peers = []string{compare.Node}
		_, err = compare.Run(t.Context(), cfg)
		assert.Error(t, err)
	})
}

func TestReport_faults(t *testing.T) {
	assert.Equal(t, []string{
		"parley, room, round 1: only 3 of 5 clients connected: map[HTTP 503:2]",
		"parley, room, round 1: 7 lost, 0 doubled, 0 reordered",
	}, compare.FaultsOf(sample("parley", "room", scenario.Result{
		Connect: &scenario.Phase{Setup: swarm.Setup{Wanted: 5, Done: 3, Errors: map[string]int{"HTTP 503": 2}}},
		Load:    &scenario.Load{Deliveries: tally.Deliveries{Expected: 10, Received: 3, Lost: 7}},
	})))
	assert.Equal(t, []string{"node, idle, round 1: 2 idle connections were dropped"},
		compare.FaultsOf(sample("node", "idle", scenario.Result{Memory: &scenario.Memory{Held: 3, Dropped: 2}})))
	assert.Empty(t, compare.FaultsOf(sample("parley", "room", room(10, 5))))
}
