//go:build linux

// Package compare measures servers against each other on this machine: each is started afresh
// for every measurement, the rounds are interleaved (A B A B …) so that what else the machine does
// falls on all of them, and medians are reported with their spread.
package compare

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
)

// Config says what to compare and for how long.
type Config struct {
	Peers        []string
	ParleyBinary string
	FloorBinary  string
	NodeDir      string
	ParleyEnv    string // K=V separated by blanks
	NodeFlags    string // separated by blanks

	Rounds      int
	KneeRounds  int
	RoomClients int
	RoomRate    float64
	RoomTime    time.Duration
	Warmup      time.Duration // sending before each measured time
	KneeTime    time.Duration
	IdleClients int
	IdleTime    time.Duration
	ForceGC     bool

	Nap   time.Duration
	Loops int
}

// What the compared runs have in common.
const (
	origin      = "http://localhost:5173"
	roomUsers   = 100 // several connections a user, so that joining 1,000 is not 500,000 user_joined
	roomSenders = 4
	kneeSenders = 20
	contentSize = 128 // bytes
	kneeLimit   = 100 * time.Millisecond
	kneeMaxRate = 20_000
	perIdleRoom = 10
)

// measurement is one kind of run.
type measurement struct {
	name   string
	config func(Config) scenario.Config
}

var measurements = []measurement{
	{name: "storm", config: stormConfig},
	{name: "idle", config: idleConfig},
	{name: "room", config: roomConfig},
	{name: "knee", config: kneeConfig},
}

// Sample is one run of one peer.
type Sample struct {
	Peer        string          `json:"peer"`
	Measurement string          `json:"measurement"`
	Round       int             `json:"round"`
	Result      scenario.Result `json:"result"`
}

// Run measures all peers in all rounds. An error means that a peer could not be run; what was
// wrong with a run that took place is in the report's faults.
func Run(ctx context.Context, c Config) (Report, error) {
	peers, err := c.peers()
	if err != nil {
		return Report{}, err
	}
	report := Report{Config: c, Environment: environment(ctx, c)}
	for round := range max(c.Rounds, c.KneeRounds) {
		for _, m := range measurements {
			rounds := c.Rounds
			if m.name == "knee" {
				rounds = c.KneeRounds
			}
			if round >= rounds {
				continue
			}
			for _, p := range peers {
				if p.isFloor && m.name != "room" && m.name != "storm" {
					continue
				}
				sample, err := c.measure(ctx, p, m, round)
				if err != nil {
					return report, err
				}
				report.add(sample)
			}
		}
	}
	return report, nil
}

func (c Config) measure(ctx context.Context, p Peer, m measurement, round int) (Sample, error) {
	fmt.Fprintf(os.Stderr, "round %d: %s %s\n", round+1, p.Name, m.name)
	secret := rand.Text()
	s, err := p.start(ctx, secret+secret) // HS256 wants 32 bytes or more
	if err != nil {
		return Sample{}, err
	}
	defer s.stop()
	cfg := m.config(c)
	cfg.Server, cfg.Secret, cfg.PID, cfg.GC = s.url, secret+secret, s.pid(), s.gc
	cfg.Crowd.Origin, cfg.Crowd.Nap, cfg.Crowd.Loops = origin, c.Nap, c.Loops
	cfg.Plan.Size = contentSize
	result, err := scenario.Run(ctx, cfg)
	if err != nil {
		return Sample{}, fmt.Errorf("%s %s: %w\n%s", p.Name, m.name, err, s.output)
	}
	if result.Connect == nil || result.Connect.Done == 0 {
		return Sample{}, errors.Join(fmt.Errorf("%s %s: nobody could connect", p.Name, m.name), setupError(result))
	}
	return Sample{Peer: p.Name, Measurement: m.name, Round: round, Result: result}, nil
}

func setupError(r scenario.Result) error {
	if r.Connect == nil {
		return nil
	}
	return fmt.Errorf("%v", r.Connect.Errors)
}

// stormConfig connects as fast as the server takes it: at a lower rate its CPU time per connection
// is mostly that of going to sleep and waking.
func stormConfig(c Config) scenario.Config {
	return scenario.Config{
		Scenario: scenario.Storm,
		Crowd:    swarm.Config{Clients: c.IdleClients, ConnectRate: 100_000},
	}
}

func idleConfig(c Config) scenario.Config {
	return scenario.Config{
		Scenario: scenario.Idle,
		Crowd:    swarm.Config{Clients: c.IdleClients, Rooms: max(1, c.IdleClients/perIdleRoom)},
		Plan:     swarm.Plan{Duration: c.IdleTime},
	}
}

func roomConfig(c Config) scenario.Config {
	return scenario.Config{
		Scenario: scenario.Room,
		Crowd:    swarm.Config{Clients: c.RoomClients, Users: min(roomUsers, c.RoomClients)},
		Plan: swarm.Plan{
			Rate: c.RoomRate, Senders: roomSenders, Warmup: c.Warmup, Duration: c.RoomTime,
			Drain: 20 * time.Second, Quiet: 5 * time.Second,
		},
	}
}

// kneeConfig does not wait long for a backlog: a rate that leaves one has broken already.
func kneeConfig(c Config) scenario.Config {
	cfg := roomConfig(c)
	cfg.FindKnee, cfg.MaxP99, cfg.MaxRate, cfg.Retries = true, kneeLimit, kneeMaxRate, 1
	cfg.Plan.Senders = kneeSenders
	// The crowd stays from rate to rate, so the server is warm but for the first.
	cfg.Plan.Warmup, cfg.Plan.Duration = c.Warmup/3, c.KneeTime
	cfg.Plan.Drain, cfg.Plan.Quiet = 2*time.Second, time.Second
	return cfg
}
