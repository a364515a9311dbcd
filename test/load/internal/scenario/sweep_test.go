//go:build linux

package scenario_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/floor"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
)

func TestParseSweep(t *testing.T) {
	s, err := scenario.ParseSweep("room-size=10, 100,1000")
	require.NoError(t, err)
	assert.Equal(t, scenario.Sweep{By: scenario.RoomSize, Values: []int{10, 100, 1000}}, s)
	for _, text := range []string{"", "room-size", "room-size=", "room-size=0", "room-size=1,x", "else=1"} {
		_, err := scenario.ParseSweep(text)
		assert.Error(t, err, text)
	}
}

func TestSweep_Config(t *testing.T) {
	base := scenario.Config{FindKnee: true, Crowd: swarm.Config{Clients: 1000, Prefix: "p"}, Plan: swarm.Plan{Rate: 40, Senders: 4}}
	config := func(t *testing.T, by string, value int) scenario.Config {
		t.Helper()
		cfg, err := scenario.Sweep{By: by, Deliveries: 10_000}.Config(base, value)
		require.NoError(t, err)
		assert.False(t, cfg.FindKnee)
		return cfg
	}
	t.Run("a bigger room gets fewer messages, so that deliveries stay the same", func(t *testing.T) {
		cfg := config(t, scenario.RoomSize, 10)
		assert.Equal(t, []int{10, 1, 10}, []int{cfg.Crowd.Clients, cfg.Crowd.Rooms, cfg.Crowd.Users})
		assert.InDelta(t, 1000, cfg.Plan.Rate, 0)
		cfg = config(t, scenario.RoomSize, 10_000)
		assert.Equal(t, []int{10_000, 1, 100}, []int{cfg.Crowd.Clients, cfg.Crowd.Rooms, cfg.Crowd.Users})
		assert.InDelta(t, 1, cfg.Plan.Rate, 0)
	})
	t.Run("rooms have ten members each until clients run out, and then are idle", func(t *testing.T) {
		cfg := config(t, scenario.RoomCount, 10)
		assert.Equal(t, []int{100, 10, 0, 10}, []int{cfg.Crowd.Clients, cfg.Crowd.Rooms, cfg.Crowd.Idle, cfg.Plan.Senders})
		cfg = config(t, scenario.RoomCount, 100_000)
		assert.Equal(t, []int{1000, 100, 99_900, 100}, []int{cfg.Crowd.Clients, cfg.Crowd.Rooms, cfg.Crowd.Idle, cfg.Plan.Senders})
		assert.InDelta(t, 1000, cfg.Plan.Rate, 0)
	})
	t.Run("connections are two crowds", func(t *testing.T) {
		cfg := config(t, scenario.Connections, 20_000)
		assert.Equal(t, scenario.Idle, cfg.Scenario)
		assert.Equal(t, []int{10_000, 1000}, []int{cfg.Crowd.Clients, cfg.Crowd.Rooms})
		assert.Equal(t, 20_000, scenario.Sweep{By: scenario.Connections, Values: []int{100, 20_000}}.Largest(base))
	})
	t.Run("each user is in that many conversations", func(t *testing.T) {
		cfg := config(t, scenario.Conversations, 20)
		assert.Equal(t, []int{1000, 100, 19_000}, []int{cfg.Crowd.Clients, cfg.Crowd.Rooms, cfg.Crowd.Idle})
	})
	t.Run("history is written before", func(t *testing.T) {
		cfg := config(t, scenario.HistoryLength, 5000)
		assert.Equal(t, 5000, cfg.History)
		assert.InDelta(t, 10, cfg.Plan.Rate, 0)
	})
	t.Run("more memberships than a session may have are refused", func(t *testing.T) {
		_, err := scenario.Sweep{By: scenario.Conversations}.Config(base, 1001)
		require.Error(t, err)
		_, err = scenario.Sweep{By: scenario.Conversations}.Config(base, 1000)
		assert.NoError(t, err)
	})
	t.Run("the rate stays if no deliveries are given, and values have ids of their own", func(t *testing.T) {
		cfg, err := scenario.Sweep{By: scenario.RoomSize}.Config(base, 10)
		require.NoError(t, err)
		assert.InDelta(t, 40, cfg.Plan.Rate, 0)
		assert.Equal(t, "p-10", cfg.Crowd.Prefix)
	})
}

func TestSwept_Add(t *testing.T) {
	swept := scenario.Swept{By: scenario.RoomCount}
	add := func(rooms int, cpu float64, rss int64) {
		swept.Add(rooms, scenario.Result{
			Clients: 10, Rooms: 10, Idle: rooms - 10, RSSStart: 1000,
			Load: &scenario.Load{ServerCPUMicros: cpu, ServerRSS: 1000 + rss},
		})
	}
	add(10, 8, 1000)
	add(100, 10, 10_000)
	add(1000, 16, 100_000)
	require.Len(t, swept.Points, 3)
	assert.Empty(t, swept.Points[0].Growth)
	assert.Equal(t, map[string]float64{"cpuMicrosPerDelivery": 10, "rssBytesPerRoom": 100}, swept.Points[1].Costs)
	assert.InDelta(t, 1.25, swept.Points[1].Growth["cpuMicrosPerDelivery"], 0.001)
	assert.InDelta(t, 1, swept.Points[2].Growth["rssBytesPerRoom"], 0.001)
	assert.Equal(t, []string{"cpuMicrosPerDelivery from rooms=100 to 1000: 1.60 times"}, swept.Jumps)
}

func TestSwept_Add_leavesOut(t *testing.T) {
	phase := func(done int, cpu float64) *scenario.Phase {
		return &scenario.Phase{Setup: swarm.Setup{Done: done}, ServerCPUMicros: cpu}
	}
	swept := scenario.Swept{By: scenario.HistoryLength}
	swept.Add(100, scenario.Result{
		Clients: 10, RSSStart: 1000, Connect: phase(10, 1000), Join: phase(100, 600),
		Load:    &scenario.Load{ServerCPUMicros: 9, ServerRSS: 9000},
		History: &scenario.History{Messages: 100, Each: 300, WriteCPU: 60, PageCPU: 400},
	})
	assert.Equal(t, map[string]float64{
		"cpuMicrosPerJoin": 600, "cpuMicrosPerDelivery": 9, "rssBytesPerMessage": 300, "cpuMicrosPerPage": 400,
	}, swept.Points[0].Costs, "10 connections and 100 writes are a few steps of the kernel's clock, and what is kept is the messages")
}

func TestSweep_Run(t *testing.T) {
	t.Parallel()
	t.Run("one result per value", func(t *testing.T) {
		cfg := config(t, scenario.Room, &floor.Server{})
		swept, err := scenario.Sweep{By: scenario.RoomSize, Values: []int{2, 8}, Deliveries: 800}.Run(t.Context(), cfg)
		require.NoError(t, err)
		require.Len(t, swept.Points, 2)
		for i, clients := range []int{2, 8} {
			p := swept.Points[i]
			assert.Equal(t, clients, p.Value)
			assert.Equal(t, clients, p.Result.Clients)
			assert.Empty(t, p.Fault)
			assert.Equal(t, uint64(200), p.Result.Load.Deliveries.Received)
		}
	})
	t.Run("idle conversations are joined, a history is written and read", func(t *testing.T) {
		t.Parallel()
		cfg := parley(t, scenario.Room)
		cfg.Crowd.Clients, cfg.Plan.Quiet = 4, 5*time.Second
		swept, err := scenario.Sweep{By: scenario.Conversations, Values: []int{1, 6}, Deliveries: 400}.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.Equal(t, []int{0, 20}, []int{swept.Points[0].Result.Join.Idle, swept.Points[1].Result.Join.Idle})
		assert.Empty(t, swept.Points[1].Fault)

		swept, err = scenario.Sweep{By: scenario.HistoryLength, Values: []int{300}, Deliveries: 400}.Run(t.Context(), cfg)
		require.NoError(t, err)
		h := swept.Points[0].Result.History
		require.NotNil(t, h)
		assert.Equal(t, 300, h.Messages)
		assert.Equal(t, uint64(500), h.Pages.Count)
		assert.Empty(t, swept.Points[0].Fault)
	})
	t.Run("a server nobody can connect to ends it", func(t *testing.T) {
		cfg := config(t, scenario.Room, &floor.Server{})
		cfg.Secret = "another"
		_, err := scenario.Sweep{By: scenario.Connections, Values: []int{2}}.Run(t.Context(), cfg)
		assert.Error(t, err)
	})
}
