//go:build linux

package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
)

func TestParse(t *testing.T) {
	t.Run("a room has one conversation, idle clients are spread in tens", func(t *testing.T) {
		o, err := parse([]string{"-secret", "s", "-clients", "500"}, io.Discard)
		require.NoError(t, err)
		assert.Equal(t, scenario.Room, o.scenario.Scenario)
		assert.Equal(t, 1, o.scenario.Crowd.Rooms)
		o, err = parse([]string{"-secret", "s", "-clients", "500", "-scenario", "idle"}, io.Discard)
		require.NoError(t, err)
		assert.Equal(t, 50, o.scenario.Crowd.Rooms)
	})
	t.Run("comparing needs no secret, and takes the peers in order", func(t *testing.T) {
		o, err := parse([]string{"-compare", "-peers", "node,parley", "-nap", "2ms", "-loops", "3"}, io.Discard)
		require.NoError(t, err)
		assert.True(t, o.compare)
		assert.Equal(t, []string{"node", "parley"}, o.rounds.Peers)
		assert.Equal(t, 2*time.Millisecond, o.rounds.Nap)
		assert.Equal(t, 3, o.rounds.Loops)
	})
	t.Run("each scenario has its own load, unless told otherwise", func(t *testing.T) {
		of := func(args ...string) scenario.Config {
			o, err := parse(append([]string{"-secret", "s", "-clients", "500", "-scenario"}, args...), io.Discard)
			require.NoError(t, err)
			return o.scenario
		}
		room := of("room")
		assert.InDelta(t, 40, room.Plan.Rate, 0)
		assert.Equal(t, 128, room.Plan.Size)
		assert.Zero(t, room.Plan.Typing.Rate+room.Plan.ChurnRate)
		assert.False(t, room.Plan.Confirm || room.Crowd.Polling)
		big := of("big")
		assert.Equal(t, []int{16 << 10, 64 << 10}, []int{big.Plan.Size, big.Plan.MaxSize})
		assert.Equal(t, []int{4096, 0}, []int{of("big", "-size", "4096").Plan.Size, of("big", "-size", "4096").Plan.MaxSize})
		assert.InDelta(t, 1000, of("typing").Plan.Typing.Rate, 0)
		assert.InDelta(t, 5, of("typing", "-typing-rate", "5").Plan.Typing.Rate, 0)
		assert.Equal(t, 50, of("churn").Crowd.Churn)
		assert.Positive(t, of("churn").Plan.ChurnRate)
		assert.True(t, of("confirm").Plan.Confirm)
		drop := of("drop", "-clients", "400")
		assert.Equal(t, []int{400, 40}, []int{drop.Crowd.Clients, drop.Crowd.Rooms})
		assert.InDelta(t, 40, drop.Plan.Rate, 0)
		many := of("drop", "-clients", "0")
		assert.Equal(t, []int{10_000, 1000}, []int{many.Crowd.Clients, many.Crowd.Rooms})
		assert.InDelta(t, 250, many.Plan.Rate, 0)
		assert.InDelta(t, 5, of("drop", "-rate", "5").Plan.Rate, 0)
		assert.True(t, of("polling").Crowd.Polling)
		assert.True(t, of("storm", "-transport", "polling").Crowd.Polling)
		assert.Equal(t, 5, of("room", "-stalled-share", "0.01").Crowd.Stalled)
		assert.Equal(t, 1, of("room", "-stalled-share", "0.0001").Crowd.Stalled, "at least one")
		assert.True(t, room.Baseline)
	})
	t.Run("a sweep takes its values", func(t *testing.T) {
		o, err := parse([]string{"-secret", "s", "-sweep", "rooms=1,10", "-sweep-deliveries", "500"}, io.Discard)
		require.NoError(t, err)
		assert.Equal(t, scenario.Sweep{By: "rooms", Values: []int{1, 10}, Deliveries: 500}, o.sweep)
	})
	t.Run("all sweeps need no secret, and room for their connections", func(t *testing.T) {
		o, err := parse([]string{"-sweeps", "-sweep-time", "2s"}, io.Discard)
		require.NoError(t, err)
		assert.True(t, o.sweeps)
		assert.Equal(t, 2*time.Second, o.rounds.SweepTime)
	})
	for name, args := range map[string][]string{
		"an unknown scenario":   {"-secret", "s", "-scenario", "else"},
		"an unknown transport":  {"-secret", "s", "-transport", "else"},
		"an unknown sweep":      {"-secret", "s", "-sweep", "else=1"},
		"a share over all":      {"-secret", "s", "-stalled-share", "1"},
		"no secret":             {"-clients", "5"},
		"a content too short":   {"-secret", "s", "-size", "10"},
		"an unknown flag":       {"-else"},
		"an argument, no flag":  {"-secret", "s", "room"},
		"a duration in numbers": {"-secret", "s", "-duration", "10"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			_, err := parse(args, io.Discard)
			assert.Error(t, err)
		})
	}
}

func TestOptions_checkFiles(t *testing.T) {
	o, err := parse([]string{"-secret", "s", "-clients", "10"}, io.Discard)
	require.NoError(t, err)
	require.NoError(t, o.checkFiles())
	sweep := o
	sweep.sweep = scenario.Sweep{By: scenario.Connections, Values: []int{10, 1 << 40}}
	require.ErrorContains(t, sweep.checkFiles(), "file descriptors")
	o.scenario.Crowd.Clients = 1 << 40
	assert.ErrorContains(t, o.checkFiles(), "file descriptors")
	o.compare = true
	assert.NoError(t, o.checkFiles(), "a comparison has its own numbers of clients")
}

func TestPrintResult(t *testing.T) {
	load := scenario.Load{
		Rate: 40, Senders: 4, Intended: 100, Accepted: 99, Refused: map[string]int{"RATE_LIMITED": 1},
		Deliveries: tally.Deliveries{Expected: 990, Received: 989, Lost: 1},
		Latency:    tally.Percentiles{P99: 12.5}, ServerCPUMicros: 8.25, ServerCores: 0.5,
		Typing: &swarm.Typed{Sent: 71, Heard: 72}, Churn: &swarm.Churned{Joins: 73, Strays: 74},
		Confirmations: &swarm.Confirmed{Complete: 75, Partial: 76}, StalledEnded: 77,
		Recovery: &swarm.Recovered{Dropped: 81, Back: 80, Recovered: 79, Rejoined: 78, Share: 0.9876, LastBack: 1234, ServerCPUMicros: 5, RSSPeak: 3 << 20},
	}
	var b strings.Builder
	require.NoError(t, printResult(&b, scenario.Result{
		Scenario: scenario.Room, Clients: 10, Rooms: 1, Users: 10,
		Connect:  &scenario.Phase{Setup: swarm.Setup{Wanted: 10, Done: 9, Retries: 2, Errors: map[string]int{"HTTP 503": 3}, Took: &tally.Percentiles{P50: 1.5}}},
		Memory:   &scenario.Memory{Held: 18, Below: 9, Each: 6144, Marginal: 5120},
		Knee:     &scenario.Knee{Found: pace.Found{Best: 80, Trials: []pace.Trial{{Rate: 80, Held: true}, {Rate: 160, Why: "p99 200 ms"}}}, MaxP99Ms: 100},
		Load:     &load,
		Baseline: &scenario.Load{Latency: tally.Percentiles{P99: 7.75}}, Missing: "typing",
		History: &scenario.History{Messages: 300, PageLimit: 50},
	}))
	for _, want := range []string{
		"9 of 10", "2 retries", "HTTP 503:3", "6.00 KiB per connection, 5.00 marginal", "80.0/s held", "160.0/s broke: p99 200 ms",
		"p99 7.75", "300 messages", "71 sent", "72 heard", "73 joins", "74 while out", "75 complete, 76 partial", "77 stuck", "81 in 0 ms: 80 back, 79 recovered, 78 joined anew", "0.9876", "after 1234 ms", "3.0 at most",
		"NOT RUN", "does not answer typing", "highest    80.0", "99 accepted", "RATE_LIMITED:1", "989 received, 1 lost", "p99 12.50", "8.25 µs CPU per delivery", "FAULT",
	} {
		assert.Contains(t, b.String(), want)
	}
}

func TestPrintSwept(t *testing.T) {
	swept := scenario.Swept{By: scenario.RoomSize}
	for i, cpu := range []float64{8, 16} {
		swept.Add(10*(i+1), scenario.Result{Load: &scenario.Load{ServerCPUMicros: cpu, Unanswered: i}})
	}
	var b strings.Builder
	require.NoError(t, printSwept(&b, swept))
	for _, want := range []string{"room-size=10", "room-size=20", "16.00  ×2.00", "FAULT 1 sends unanswered", "JUMP cpuMicrosPerDelivery"} {
		assert.Contains(t, b.String(), want)
	}
}
