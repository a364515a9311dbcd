//go:build linux

package compare_test

import (
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"parley/test/load/internal/compare"
	"parley/test/load/internal/floor"
	"parley/test/load/internal/report"
)

// TestMain makes the test binary double as a server: package compare starts it as one, and then PORT is set.
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

// config returns a comparison that takes a second or two, of this test binary in two roles.
func config(t *testing.T) compare.Config {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return compare.Config{
		Peers: []string{compare.Parley, compare.Floor}, ParleyBinary: self, FloorBinary: self,
		Rounds: 1, RoomClients: 20, RoomRate: 20, RoomSizes: []int{10}, StormClients: 20, IdleClients: 20,
		RoomTime: 200 * time.Millisecond, KneeTime: 50 * time.Millisecond, Warmup: 50 * time.Millisecond,
		IdleTime: 100 * time.Millisecond, Ping: 40 * time.Millisecond,
		AnyLoad: true, Nap: time.Millisecond, Loops: 1,
	}
}

// order returns the names of the report's samples, in the order in which they were taken.
func order(r *report.Report) (runs []string) {
	for _, s := range r.Samples {
		runs = append(runs, s.String())
	}
	return runs
}

func TestRun(t *testing.T) {
	t.Run("rounds are interleaved, and the others leave out what is not about them", func(t *testing.T) {
		cfg := config(t)
		cfg.Rounds, cfg.Docs = 2, t.TempDir()
		out, err := compare.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.Equal(t, []string{
			"parley, storm, round 1", "floor, storm, round 1", "parley, idle, round 1",
			"parley, size 10, round 1", "floor, size 10, round 1", "parley, size 20, round 1", "floor, size 20, round 1",
			"parley, storm, round 2", "floor, storm, round 2", "parley, idle, round 2",
			"parley, size 10, round 2", "floor, size 10, round 2", "parley, size 20, round 2", "floor, size 20, round 2",
		}, order(out))
		assert.Empty(t, out.Faults)
		page, err := os.ReadFile(filepath.Join(cfg.Docs, "benchmarks.md"))
		require.NoError(t, err)
		assert.Contains(t, string(page), "CPU per delivery")
	})
	t.Run("rates, stuck members and numbers of rooms are measured when asked for", func(t *testing.T) {
		cfg := config(t)
		cfg.Peers, cfg.Rates, cfg.RateTime = []string{compare.Floor}, []float64{40, 20}, 50*time.Millisecond
		cfg.StuckClients, cfg.StuckTime = 10, 100*time.Millisecond
		out, err := compare.Run(t.Context(), cfg)
		require.NoError(t, err)
		runs := strings.Join(order(out), "\n")
		assert.Contains(t, runs, "floor, rate 20, round 1\nfloor, rate 40, round 1")
		assert.NotContains(t, runs, "stuck", "the floor writes where it stands")
	})
	t.Run("a server that recovers no connection is said so, and has no figure", func(t *testing.T) {
		cfg := config(t)
		cfg.Peers, cfg.DropClients = []string{compare.Parley, compare.Floor}, 20
		out, err := compare.Run(t.Context(), cfg)
		require.NoError(t, err)
		runs := strings.Join(order(out), "\n")
		assert.Contains(t, runs, "parley, drop 20, round 1")
		assert.NotContains(t, runs, "floor, drop")
		require.Len(t, out.Faults, 1)
		assert.Contains(t, out.Faults[0], "parley, drop 20, round 1: not run: the server does not answer CONNECT with a pid")
	})
	t.Run("garbage that was to be collected and was not is a fault", func(t *testing.T) {
		cfg := config(t)
		cfg.ForceGC, cfg.Peers = true, []string{compare.Parley}
		out, err := compare.Run(t.Context(), cfg)
		require.NoError(t, err)
		require.Len(t, out.Faults, 1)
		assert.Contains(t, out.Faults[0], "garbage")
	})
	t.Run("a run that fails is a fault, and the rest goes on", func(t *testing.T) {
		cfg := config(t)
		cfg.RoomTime = 0 // which no run can be
		out, err := compare.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.NotEmpty(t, out.Faults)
		assert.Contains(t, order(out), "parley, idle, round 1")
	})
	t.Run("a peer that does not start is an error with its output", func(t *testing.T) {
		cfg := config(t)
		cfg.ParleyBinary = "/bin/ls" // ends at once
		_, err := compare.Run(t.Context(), cfg)
		require.Error(t, err)
		assert.Contains(t, err.Error(), "ended before it was ready")
		assert.Contains(t, err.Error(), "compare_test.go")
	})
	t.Run("an interrupted comparison is an error, and writes nothing", func(t *testing.T) {
		cfg := config(t)
		cfg.Docs = t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := compare.Run(ctx, cfg)
		require.Error(t, err)
		entries, err := os.ReadDir(cfg.Docs)
		require.NoError(t, err)
		assert.Empty(t, entries)
	})
}

func TestConfig_refused(t *testing.T) {
	for name, change := range map[string]func(*compare.Config){
		"an unknown peer":                       func(c *compare.Config) { c.Peers = []string{"else"} },
		"no peer":                               func(c *compare.Config) { c.Peers = nil },
		"a peer without a place":                func(c *compare.Config) { c.Peers = []string{compare.Node} },
		"another peer without a place":          func(c *compare.Config) { c.Peers = []string{compare.Bun} },
		"a binary that is not there":            func(c *compare.Config) { c.ParleyBinary = "/nowhere/parley" },
		"no round":                              func(c *compare.Config) { c.Rounds = 0 },
		"an empty room":                         func(c *compare.Config) { c.RoomSizes = []int{0} },
		"no rate":                               func(c *compare.Config) { c.RoomRate = 0 },
		"a rate of 0":                           func(c *compare.Config) { c.Rates = []float64{0} },
		"connections idle for less than a ping": func(c *compare.Config) { c.Ping = time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			change(&cfg)
			_, err := compare.Run(t.Context(), cfg)
			assert.Error(t, err)
		})
	}
}

func TestTicks(t *testing.T) {
	busy, total := compare.Ticks("cpu  10 20 30 4000 500 6 7 8 9 1")
	assert.EqualValues(t, 10+20+30+6+7+8, busy)
	assert.EqualValues(t, 10+20+30+4000+500+6+7+8, total)
	for _, line := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 x 5 6 7 8"} {
		busy, total = compare.Ticks(line)
		assert.Zero(t, busy)
		assert.Zero(t, total)
	}
}

func flags(t *testing.T, args ...string) compare.Config {
	t.Helper()
	var c compare.Config
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	c.Flags(fs)
	places := []string{"-parley", "p", "-floor", "f", "-node-dir", "n", "-bun-dir", "b"}
	require.NoError(t, fs.Parse(append(places, args...)))
	return c
}

func TestConfig_Flags(t *testing.T) {
	t.Run("the defaults are those of the published figures", func(t *testing.T) {
		c, err := flags(t).Normal()
		require.NoError(t, err)
		assert.Equal(t, []string{"parley", "node", "bun", "floor"}, c.Peers)
		assert.GreaterOrEqual(t, c.Rounds, 5)
		assert.Equal(t, 3, c.KneeRounds)
		assert.Equal(t, []int{10, 100, 1000, 10_000}, c.RoomSizes)
		assert.GreaterOrEqual(t, 2*c.IdleClients, 10_000)
		assert.Equal(t, 11_000, c.MostClients(), "10,000 are dropped, and one stays in each of their rooms")
	})
	t.Run("lists may be given, and be empty", func(t *testing.T) {
		c := flags(t, "-peers", "floor,parley", "-room-sizes", "300, 30", "-rates", "", "-knee-rounds", "0")
		assert.Equal(t, []string{"floor", "parley"}, c.Peers)
		assert.Equal(t, []int{300, 30}, c.RoomSizes)
		assert.Empty(t, c.Rates)
		assert.Zero(t, c.KneeRounds)
	})
	t.Run("a list of something else is refused", func(t *testing.T) {
		var c compare.Config
		fs := flag.NewFlagSet("load", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		c.Flags(fs)
		assert.Error(t, fs.Parse([]string{"-room-sizes", "ten"}))
	})
	t.Run("pings are in a form that every server reads", func(t *testing.T) {
		assert.Equal(t, "PING_INTERVAL=90000ms", flags(t, "-ping", "1m30s").Pinging())
	})
}

func TestConfig_Plans(t *testing.T) {
	c, err := flags(t).Normal()
	require.NoError(t, err)
	names, plans := c.Plans()
	for i, plan := range plans {
		switch names[i] {
		case report.Size:
			assert.InEpsilon(t, 40_000, plan.Plan.Rate*float64(plan.Crowd.Clients), 1e-9, "every room gets the same deliveries a second")
		case report.Stuck:
			assert.Equal(t, plan.Crowd.Clients/100, plan.Crowd.Stalled, "one in a hundred")
			assert.Greater(t, plan.Plan.Rate*float64(plan.Plan.Size)*plan.Plan.Duration.Seconds(), 10e6, "more than kernel and outbox hold, in time")
		case report.Rooms:
			assert.Positive(t, plan.Spoken, "the rooms are active")
		case report.Drop:
			assert.Equal(t, []int{10_000, 1000}, []int{plan.Crowd.Clients, plan.Crowd.Rooms})
			assert.GreaterOrEqual(t, plan.Plan.Rate, 40.0)
		case report.Steady:
			assert.Zero(t, plan.Crowd.Stalled)
		}
	}
	assert.Equal(t, plans[len(plans)-1].Plan.Rate, c.Rates[len(c.Rates)-1])
}

func TestConfig_Estimate(t *testing.T) {
	whole, err := flags(t).Estimate()
	require.NoError(t, err)
	assert.Greater(t, whole, 15*time.Minute)
	assert.Less(t, whole, time.Hour)
	short, err := flags(t, "-rounds", "2").Estimate()
	require.NoError(t, err)
	assert.Less(t, short, whole)
	alone, err := flags(t, "-peers", "parley").Estimate()
	require.NoError(t, err)
	assert.Less(t, alone, whole)
	t.Logf("whole %s, -rounds 2 %s, parley alone %s", whole, short, alone)
}
