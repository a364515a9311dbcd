//go:build linux

package report_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/report"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func room(cpu, p99 float64) scenario.Result {
	return scenario.Result{Load: &scenario.Load{ServerCPUMicros: cpu, Latency: tally.Percentiles{Count: 1, P50: p99 / 2, P99: p99}}}
}

func memory(start, middle, end int64, each float64) scenario.Result {
	return scenario.Result{Memory: &scenario.Memory{Start: start << 20, Middle: middle << 20, End: end << 20, Each: each * 1024}}
}

func dropped(share float64, lastBack float64) scenario.Result {
	return scenario.Result{Load: &scenario.Load{Recovery: &swarm.Recovered{
		Dropped: 10_000, Back: 10_000, Recovered: 10_000, Whole: int(share * 10_000), Share: share, LastBack: lastBack,
		ServerCPUMicros: lastBack / 10, RSSBefore: 90e6, RSSPeak: 150e6, RSSAfter: 120e6,
	}}}
}

func knee(best float64, server, own float64, trials ...pace.Trial) scenario.Result {
	return scenario.Result{Knee: &scenario.Knee{
		Found: pace.Found{Best: best, Trials: trials},
		At:    &scenario.Load{PerSecond: best * 1000, ServerCores: server, OwnCores: own},
	}}
}

// full returns a comparison of three rounds with every row in it.
func full() *report.Report {
	r := &report.Report{
		Sizes: report.Sizes{
			Peers: []string{"parley", "node", "bun", "floor"}, RoomClients: 1000, RoomRate: 40, RoomSizes: []int{10, 100, 1000, 10_000},
			Rates: []float64{40, 80}, IdleClients: 5000, FewRooms: 100, ManyRooms: 1000, RoomSpoken: 10,
			DropClients: 10_000, Cores: 2,
		},
		Title: "2026-01-02 03:04 UTC, commit abc", Environment: []string{"two cores"},
	}
	add := func(peer, name string, at float64, result scenario.Result) {
		round := 0
		for _, s := range r.Samples {
			if s.Peer == peer && s.Measurement == name && s.At == at {
				round = s.Round + 1
			}
		}
		r.Add(report.Sample{Peer: peer, Measurement: name, At: at, Round: round, Result: result})
	}
	for i, peer := range r.Peers {
		slow := float64(i + 1)
		for _, jitter := range []float64{1, 0.9, 1.2} {
			add(peer, report.Storm, 0, scenario.Result{Connect: &scenario.Phase{ServerCPUMicros: 90 * slow * jitter}})
			for j, size := range r.RoomSizes {
				add(peer, report.Size, float64(size), room((9+float64(j))*slow*jitter, 9))
			}
		}
		if peer != "floor" {
			add(peer, report.Idle, 0, memory(10, 10+int64(30*slow), 10+int64(60*slow), 6.1*slow))
			add(peer, report.Rooms, 100, memory(1, 2, 40, 0))
			add(peer, report.Rooms, 1000, memory(1, 2, 40+int64(i)*10, 0))
			add(peer, report.Steady, 0, room(1, 20))
			add(peer, report.Stuck, 0, room(1, 20+slow))
			add(peer, report.Drop, 10_000, dropped(1, 2000*slow))
			add(peer, report.Drop, 10_000, dropped(1-(slow-1)/100, 2500*slow))
		}
		add(peer, report.Rate, 40, room(1, 10*slow))
	}
	add("bun", report.Rooms, 100, memory(1, 2, 60, 0)) // more than with many rooms: a figure below 0
	add("bun", report.Rooms, 1000, memory(1, 2, 20, 0))
	add("parley", report.Rate, 80, room(1, 15))
	add("node", report.Rate, 80, scenario.Result{Load: &scenario.Load{
		Latency: tally.Percentiles{Count: 9, P99: 60_000}, Deliveries: tally.Deliveries{Expected: 9, Lost: 1},
	}})
	add("parley", report.Knee, 0, knee(900, 1.1, 0.8, pace.Trial{Rate: 800, Held: true}, pace.Trial{Rate: 1000, Why: "p99 130 ms"}, pace.Trial{Rate: 1600, Why: "p99 900 ms"}, pace.Trial{Rate: 900, Held: true}))
	add("node", report.Knee, 0, knee(50, 0.97, 0.4, pace.Trial{Rate: 50, Held: true}, pace.Trial{Rate: 55, Why: "7 lost, 0 doubled, 0 reordered"}))
	add("bun", report.Knee, 0, scenario.Result{Knee: &scenario.Knee{Found: pace.Found{Trials: []pace.Trial{{Rate: 40, Why: "connections dropped: map[x:1]"}}}}})
	add("floor", report.Knee, 0, knee(20_000, 0.5, 0.5, pace.Trial{Rate: 20_000, Held: true}))
	return r
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestReport_WriteMarkdown(t *testing.T) {
	r := full()
	r.Fail(report.Sample{Peer: "bun", Measurement: report.Size, At: 10_000, Round: 2}, errors.New("no answer\nat all"))
	var b strings.Builder
	require.NoError(t, r.WriteMarkdown(&b))
	golden(t, "table.md", b.String())
}

func TestReport_Publish(t *testing.T) {
	dir := t.TempDir()
	r := full()
	require.NoError(t, r.Publish(dir))
	for _, name := range []string{"benchmarks.md", "benchmarks/latency.svg", "benchmarks/cpu.svg", "benchmarks/memory.svg"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		golden(t, filepath.Base(name), string(got))
	}
	results, err := os.ReadFile(filepath.Join(dir, "benchmarks", "results.json"))
	require.NoError(t, err)
	assert.Contains(t, string(results), `"measurement": "knee"`)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	assert.Error(t, r.Publish(filepath.Join(dir, "file")))
}

// row returns the line of the table whose first cell begins with work.
func row(t *testing.T, r *report.Report, work string) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteMarkdown(&b))
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "| "+work) {
			return line
		}
	}
	t.Fatalf("no row %q in\n%s", work, b.String())
	return ""
}

func TestReport_verdicts(t *testing.T) {
	sizes := report.Sizes{Peers: []string{"parley", "node", "floor"}, RoomClients: 1000, RoomRate: 40, RoomSizes: []int{100, 1000}, IdleClients: 1, DropClients: 10_000}
	with := func(samples ...report.Sample) *report.Report {
		r := &report.Report{Sizes: sizes}
		for _, s := range samples {
			r.Add(s)
		}
		return r
	}
	cpu := func(peer string, v float64) report.Sample {
		return report.Sample{Peer: peer, Measurement: report.Size, At: 1000, Result: room(v, 1)}
	}
	best := func(peer string, v float64) report.Sample {
		return report.Sample{Peer: peer, Measurement: report.Knee, Result: knee(v, 1, 1)}
	}
	lost := func(round int, share float64) report.Sample {
		return report.Sample{Peer: "parley", Measurement: report.Drop, At: 10_000, Round: round, Result: dropped(share, 1)}
	}
	for name, c := range map[string]struct {
		report     *report.Report
		work, want string
	}{
		"a ratio at its limit":                       {with(cpu("parley", 11.5), cpu("floor", 10)), "CPU per delivery, µs", "| reached |"},
		"a ratio over it":                            {with(cpu("parley", 11.6), cpu("floor", 10)), "CPU per delivery, µs", "| **not reached** |"},
		"a ratio to nothing":                         {with(cpu("parley", 1)), "CPU per delivery, µs", "| not measured |"},
		"a ratio to be at least":                     {with(best("parley", 1500), best("node", 100)), "highest rate", "| reached |"},
		"a ratio under it":                           {with(best("parley", 1499), best("node", 100)), "highest rate", "| **not reached** |"},
		"a rival that held no rate":                  {with(best("parley", 1499), best("node", 0)), "highest rate", "| not measured |"},
		"a figure that holds":                        {with(report.Sample{Peer: "parley", Measurement: report.Idle, Result: memory(0, 0, 0, 6)}), "memory per idle", "| reached |"},
		"a figure that does not":                     {with(report.Sample{Peer: "parley", Measurement: report.Idle, Result: memory(0, 0, 0, 6.01)}), "memory per idle", "| **not reached** |"},
		"growth of a single size":                    {&report.Report{Sizes: report.Sizes{Peers: []string{"parley"}, RoomClients: 9, RoomRate: 1, RoomSizes: []int{9}}, Samples: []report.Sample{{Peer: "parley", Measurement: report.Size, At: 9, Result: room(1, 1)}}}, "CPU per delivery in a room of 9", "| not measured |"},
		"a share that is less than all in one round": {with(lost(0, 1), lost(1, 1), lost(2, 0.9999)), "10,000 connections dropped", "| **not reached** |"},
		"a share that is all in every round":         {with(lost(0, 1), lost(1, 1)), "10,000 connections dropped", "| reached |"},
		"a row that was not measured":                {with(), "10,000 connections dropped", "| not measured |"},
		"a figure of two other rounds":               {with(report.Sample{Peer: "parley", Measurement: report.Steady, Result: room(1, 1)}, report.Sample{Peer: "parley", Measurement: report.Stuck, Round: 1, Result: room(1, 1)}), "p99 of the others", "| not measured |"},
	} {
		t.Run(name, func(t *testing.T) { assert.Contains(t, row(t, c.report, c.work), c.want) })
	}
}

func TestReport_Add(t *testing.T) {
	faults := func(s report.Sample) []string {
		var r report.Report
		r.Add(s)
		return r.Faults
	}
	lost := &scenario.Load{Deliveries: tally.Deliveries{Expected: 10, Received: 3, Lost: 7}}
	assert.Equal(t, []string{
		"parley, size 10,000, round 1: only 3 of 5 clients connected: map[HTTP 503:2]",
		"parley, size 10,000, round 1: only 4 of 5 clients joined: map[FORBIDDEN:1]",
		"parley, size 10,000, round 1: 7 lost, 0 doubled, 0 reordered",
	}, faults(report.Sample{Peer: "parley", Measurement: report.Size, At: 10_000, Result: scenario.Result{
		Connect: &scenario.Phase{Setup: swarm.Setup{Wanted: 5, Done: 3, Errors: map[string]int{"HTTP 503": 2}}},
		Join:    &scenario.Phase{Setup: swarm.Setup{Wanted: 5, Done: 4, Errors: map[string]int{"FORBIDDEN": 1}}},
		Load:    lost,
	}}))
	assert.Equal(t, []string{"node, idle, round 3: 2 idle connections were dropped"},
		faults(report.Sample{Peer: "node", Measurement: report.Idle, Round: 2, Result: scenario.Result{Memory: &scenario.Memory{Held: 3, Dropped: 2}}}))
	assert.Equal(t, []string{"bun, drop 40, round 1: not run: the server does not answer CONNECT"},
		faults(report.Sample{Peer: "bun", Measurement: report.Drop, At: 40, Result: scenario.Result{Missing: "CONNECT"}}))
	few := dropped(0.5, 1)
	few.Load.Recovery.Recovered, few.Load.Deliveries.Lost = 5000, 7
	assert.Equal(t, []string{"node, drop 10,000, round 1: of 10000 connections dropped 10000 are back and 5000 recovered: map[]; 7 lost, 0 doubled, 0 reordered"},
		faults(report.Sample{Peer: "node", Measurement: report.Drop, At: 10_000, Result: few}))
	assert.Empty(t, faults(report.Sample{Measurement: report.Rate, Result: scenario.Result{Load: lost}}), "rates are raised until they break")
	assert.Empty(t, faults(report.Sample{Measurement: report.Size, Result: room(10, 5)}))
}
