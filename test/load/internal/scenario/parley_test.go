//go:build linux

package scenario_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/bootstrap"
	"parley/test/load/internal/floor"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
)

// parley returns a short run against the real server, within this process, without recovery.
func parley(t *testing.T, name string) scenario.Config {
	t.Helper()
	return parleyRecovering(t, name, "0")
}

// parleyRecovering is parley with a RECOVERY_WINDOW.
func parleyRecovering(t *testing.T, name, window string) scenario.Config {
	t.Helper()
	loaded, err := bootstrap.LoadConfig(map[string]string{
		"HOST": "127.0.0.1", "PORT": "0", "ADMIN_ADDR": "off", "DRAIN_TIME": "0", "PRESENCE_GRACE": "0",
		"RECOVERY_WINDOW": window, "LOG_LEVEL": "error", "JWT_SECRET": secret,
	})
	require.NoError(t, err)
	app, err := bootstrap.New(loaded, io.Discard)
	require.NoError(t, err)
	require.NoError(t, app.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		assert.NoError(t, app.Stop(ctx))
	})
	return scenario.Config{
		Scenario: name, Server: app.URL(), Secret: secret,
		Crowd: swarm.Config{Clients: 20, Sample: 1, Prefix: "run"},
		Plan: swarm.Plan{
			Rate: 200, Warmup: 50 * time.Millisecond, Duration: 250 * time.Millisecond, Size: 64, Senders: 2,
			Drain: 5 * time.Second, Quiet: 2 * time.Second,
		},
	}
}

func TestRun_parley(t *testing.T) {
	t.Parallel()
	all := tally.Deliveries{Expected: 1200, Received: 1200}
	clean := func(t *testing.T, l *scenario.Load) {
		t.Helper()
		require.NotNil(t, l)
		assert.Empty(t, l.Fault())
		assert.Equal(t, l.Deliveries.Received, l.Checked-checkedBeside(l), "every message was decoded in full")
	}

	t.Run("who polls gets everything, too", func(t *testing.T) {
		t.Parallel()
		cfg := parley(t, scenario.Polling)
		cfg.Crowd.Loops = 2
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		clean(t, r.Load)
		assert.Equal(t, "polling", r.Transport)
		assert.Equal(t, all, r.Load.Deliveries)
		assert.Equal(t, uint64(50), r.Load.Acks.Count)
	})

	t.Run("polling goes with everything else", func(t *testing.T) {
		t.Parallel()
		cfg := parley(t, scenario.Polling)
		cfg.Plan.Confirm = true
		cfg.Plan.Rate, cfg.Plan.Size, cfg.Plan.MaxSize = 100, 64, 4000
		cfg.Plan.Typing.Rate, cfg.Plan.ChurnRate, cfg.Crowd.Churn = 100, 100, 3
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		require.NotNil(t, r.Load)
		assert.True(t, r.Load.Deliveries.Clean(), "%+v", r.Load)
		assert.True(t, r.Load.Churn.Deliveries.Clean())
		assert.Zero(t, r.Load.Malformed, r.Load.Example)
		assert.Equal(t, 30, r.Load.Confirmations.Complete+r.Load.Confirmations.Partial)
	})

	t.Run("typing is heard, and the messages beside it are all there", func(t *testing.T) {
		t.Parallel()
		cfg := parley(t, scenario.Typing)
		cfg.Baseline = true
		cfg.Plan.Typing = swarm.Typing{Rate: 400, Typists: 5}
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.True(t, r.Supported)
		clean(t, r.Load)
		clean(t, r.Baseline)
		assert.Equal(t, all, r.Load.Deliveries)
		assert.Nil(t, r.Baseline.Typing)
		require.NotNil(t, r.Load.Typing)
		assert.Equal(t, 120, r.Load.Typing.Sent)
		assert.GreaterOrEqual(t, r.Load.Typing.Heard, uint64(5*19), "each typist at least once, by all others")
	})

	t.Run("members who come and go get what is said while they are there", func(t *testing.T) {
		t.Parallel()
		cfg := parley(t, scenario.Churn)
		cfg.Baseline = true
		cfg.Crowd.Churn, cfg.Plan.ChurnRate = 5, 200
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		clean(t, r.Load)
		assert.Equal(t, all, r.Baseline.Deliveries, "undisturbed, they are members like the others")
		assert.Equal(t, tally.Deliveries{Expected: 900, Received: 900}, r.Load.Deliveries)
		c := r.Load.Churn
		require.NotNil(t, c)
		assert.Equal(t, 5, c.Members)
		assert.Positive(t, c.Joins)
		assert.Equal(t, c.Joins+5, c.Leaves, "all were in at first and are out in the end")
		assert.Positive(t, c.Deliveries.Received)
		assert.Equal(t, c.Deliveries.Expected, c.Deliveries.Received)
		assert.LessOrEqual(t, c.JoinTook.Count, uint64(c.Joins))
		assert.LessOrEqual(t, c.LeaveTook.Count, uint64(c.Leaves))
	})

	t.Run("every message is confirmed by all and reported once", func(t *testing.T) {
		t.Parallel()
		cfg := parley(t, scenario.Confirm)
		cfg.Plan.Confirm = true
		cfg.Crowd.Users = 10
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		clean(t, r.Load)
		assert.Equal(t, all, r.Load.Deliveries)
		c := r.Load.Confirmations
		require.NotNil(t, c)
		assert.Equal(t, 60, c.Complete)
		assert.GreaterOrEqual(t, c.Asked, uint64(60*18))
		assert.Equal(t, uint64(50), c.Latency.Count)
	})

	t.Run("big messages arrive whole", func(t *testing.T) {
		t.Parallel()
		cfg := parley(t, scenario.Big)
		cfg.Crowd.Sample = 10
		cfg.Plan.Rate, cfg.Plan.Size, cfg.Plan.MaxSize = 20, 16<<10, 64<<10
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.Empty(t, r.Load.Fault())
		assert.Equal(t, tally.Deliveries{Expected: 120, Received: 120}, r.Load.Deliveries)
		assert.Equal(t, uint64(12), r.Load.Checked)
		assert.Equal(t, 64<<10, r.Load.MaxSize)
	})

	t.Run("who does not read costs the others nothing", func(t *testing.T) {
		t.Parallel()
		cfg := parley(t, scenario.Room)
		cfg.Baseline, cfg.Crowd.Stalled = true, 2
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		clean(t, r.Load)
		assert.Equal(t, all, r.Baseline.Deliveries)
		assert.Equal(t, tally.Deliveries{Expected: 1080, Received: 1080}, r.Load.Deliveries)
	})
}

// checkedBeside returns how many of the decoded messages went to members that come and go.
func checkedBeside(l *scenario.Load) uint64 {
	if l.Churn == nil {
		return 0
	}
	return l.Churn.Deliveries.Received
}

func TestRun_unsupported(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*scenario.Config){
		"polling":            func(c *scenario.Config) { c.Crowd.Polling = true },
		"typing":             func(c *scenario.Config) { c.Plan.Typing.Rate = 10 },
		"leave_conversation": func(c *scenario.Config) { c.Plan.ChurnRate, c.Crowd.Churn = 10, 1 },
		"message_ack":        func(c *scenario.Config) { c.Plan.Confirm = true },
	} {
		t.Run("a server that does not know "+name+" is said not to support it", func(t *testing.T) {
			t.Parallel()
			cfg := config(t, scenario.Room, &floor.Server{})
			change(&cfg)
			r, err := scenario.Run(t.Context(), cfg)
			require.NoError(t, err)
			assert.False(t, r.Supported)
			assert.Equal(t, name, r.Missing)
			assert.Nil(t, r.Load)
		})
	}
}
