//go:build linux

package compare

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"parley/test/load/internal/report"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
)

const sweepDeliveries = 10_000 // per second, at every value

// sweep is one sweep with its number of clients.
type sweep struct {
	scenario.Sweep
	clients int // 0 if the sweep varies them
}

// sweeps are those that [Sweeps] runs. A process with 20,000 descriptors has room for 19,800 connections.
var sweeps = []sweep{
	{scenario.Sweep{By: scenario.RoomSize, Values: []int{10, 100, 1000, 10_000}}, 0},
	{scenario.Sweep{By: scenario.RoomCount, Values: []int{1, 10, 100, 1000, 10_000, 100_000}}, 1000},
	{scenario.Sweep{By: scenario.Connections, Values: []int{1000, 5000, 10_000, 19_800}}, 0},
	{scenario.Sweep{By: scenario.HistoryLength, Values: []int{100, 1000, 10_000}}, 100},
	{scenario.Sweep{By: scenario.Conversations, Values: []int{1, 10, 100, 1000}}, 100},
}

// Sweeps measures how the first peer's costs grow with one thing after the other. Each sweep has a fresh process. It
// writes the page if Docs is set. What was measured before an error is returned with it. A load with a fault is a result,
// not an error.
func Sweeps(ctx context.Context, c Config) (*report.Sweeps, error) { return c.sweep(ctx, sweeps) }

func (c Config) sweep(ctx context.Context, all []sweep) (*report.Sweeps, error) {
	peers, err := c.peers()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	out := &report.Sweeps{Title: title(began, c.Commit), Environment: append([]string{
		fmt.Sprintf("%d × %s, %s, %s; loopback, server and generator share all cores", runtime.NumCPU(), cpuModel(), kernel(), runtime.Version()),
		fmt.Sprintf("%s: one run per value, messages for %s at %d deliveries/s, %d bytes of content", peers[0].Name, c.SweepTime, sweepDeliveries, contentSize),
	}, c.calm(ctx, "before the start", nil)...)}
	for _, s := range all {
		swept, err := c.sweepOnce(ctx, peers[0], s)
		out.Swept = append(out.Swept, swept)
		if err != nil {
			return out, err
		}
	}
	took := time.Since(began).Round(time.Second)
	out.Environment = append(out.Environment, fmt.Sprintf("the whole took %s", took))
	say("took %s", took)
	if c.Docs == "" {
		return out, nil
	}
	return out, out.Publish(c.Docs)
}

func (c Config) sweepOnce(ctx context.Context, p Peer, s sweep) (scenario.Swept, error) {
	say("%s: %v", s.By, s.Values)
	key := secret()
	server, err := p.start(ctx, key, nil)
	if err != nil {
		return scenario.Swept{By: s.By}, err
	}
	defer server.stop()
	s.Deliveries = sweepDeliveries
	swept, err := s.Run(ctx, scenario.Config{
		Server: server.url, Secret: key, PID: server.pid(), GC: server.gc,
		Crowd: swarm.Config{
			Clients: s.clients, Origin: origin, Nap: c.Nap, Loops: c.Loops, ConnectRate: unpaced, JoinRate: unpaced,
		},
		Plan: swarm.Plan{
			Warmup: c.Warmup, Duration: c.SweepTime, Size: contentSize, Senders: roomSenders, Drain: 20 * time.Second, Quiet: 5 * time.Second,
		},
	})
	if err != nil {
		return swept, fmt.Errorf("%w\n%s", err, server.output)
	}
	return swept, nil
}

// MostSwept is the largest number of connections that Sweeps holds at the same time.
func MostSwept() (most int) {
	for _, s := range sweeps {
		most = max(most, s.Largest(scenario.Config{Crowd: swarm.Config{Clients: s.clients}}))
	}
	return most
}
