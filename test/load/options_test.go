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
	for name, args := range map[string][]string{
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
	}
	var b strings.Builder
	require.NoError(t, printResult(&b, scenario.Result{
		Scenario: scenario.Room, Clients: 10, Rooms: 1, Users: 10,
		Connect: &scenario.Phase{Setup: swarm.Setup{Wanted: 10, Done: 9, Retries: 2, Errors: map[string]int{"HTTP 503": 3}, Took: &tally.Percentiles{P50: 1.5}}},
		Memory:  &scenario.Memory{Held: 18, Below: 9, Each: 6144, Marginal: 5120},
		Knee:    &scenario.Knee{Found: pace.Found{Best: 80, Trials: []pace.Trial{{Rate: 80, Held: true}, {Rate: 160, Why: "p99 200 ms"}}}, MaxP99Ms: 100},
		Load:    &load,
	}))
	for _, want := range []string{
		"9 of 10", "2 retries", "HTTP 503:3", "6.00 KiB per connection, 5.00 marginal", "80.0/s held", "160.0/s broke: p99 200 ms",
		"highest    80.0", "99 accepted", "RATE_LIMITED:1", "989 received, 1 lost", "p99 12.50", "8.25 µs CPU per delivery", "FAULT",
	} {
		assert.Contains(t, b.String(), want)
	}
}
