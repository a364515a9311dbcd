//go:build linux

package compare

import (
	"fmt"
	"slices"
	"time"

	"parley/test/load/internal/report"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
)

// What the compared runs have in common.
const (
	origin      = "http://localhost:5173"
	roomUsers   = 100 // of several connections each: 1,000 users joining would cause 500,000 user_joined
	roomSenders = 4
	mostSenders = 20
	contentSize = 128 // bytes
	kneeLimit   = 100 * time.Millisecond
	kneeMaxRate = 20_000
	perIdleRoom = 10

	// Connections and joins per second, so many that the server sets the pace.
	unpaced = 100_000

	inFewRooms, inManyRooms = 20, 2 // members of a room

	// Messages sent in every room before memory is read. A session gets as many in a big room as in a small one, so what
	// sessions keep of them is in both readings.
	roomSpoken = 10
	// What sessions keep of a message for recovery is shared by all who got it, so small rooms would seem to cost more.
	// They drop it at the client's next pong: with frequent pings it is gone when memory is read.
	roomsPing = time.Second
	roomsHold = 3 * time.Second

	recovering  = "RECOVERY_WINDOW=120s" // understood by all servers; the default of Parley alone
	perDropRoom = 10

	// A stuck member must fill the kernel's buffers of a loopback connection, about 4 MB, and then its outbox, early in
	// StuckTime: this takes 1.3 MB/s. The messages are big and the room is small, so that no server comes near its limit,
	// where latency would be that of a queue.
	stuckRate = 40     // messages per second
	stuckSize = 32_000 // bytes
	stuckPart = 100    // one in so many
)

// measurement is one kind of run.
type measurement struct {
	name   string  // as in report.Sample
	at     float64 // as in report.Sample
	config scenario.Config
	rounds int
	env    []string // further environment of the server, K=V

	withoutFloor bool // the floor does not take part: it has nothing to compare
	rivalRounds  int  // rounds in which the other peers take part; 0 means all
	ladder       bool // a peer that broke takes part in no further measurement of the same name, in this round
}

// measurements returns those of a whole comparison, in the order of one round. c must be normal.
func (c Config) measurements() []measurement {
	ms := []measurement{
		{name: report.Storm, config: c.storm(), rounds: c.Rounds},
		{name: report.Idle, config: c.idle(), rounds: c.Rounds, env: []string{pinging(c.Ping)}, withoutFloor: true, rivalRounds: c.RivalRounds},
	}
	for _, size := range c.RoomSizes {
		ms = append(ms, measurement{name: report.Size, at: float64(size), config: c.room(size), rounds: c.Rounds})
	}
	if c.StuckClients > 0 {
		ms = append(ms,
			measurement{name: report.Steady, config: c.steady(), rounds: c.Rounds, withoutFloor: true, rivalRounds: c.RivalRounds},
			measurement{name: report.Stuck, config: c.stuck(), rounds: c.Rounds, withoutFloor: true, rivalRounds: c.RivalRounds})
	}
	if c.RoomsClients > 0 {
		for _, rooms := range []int{c.roomsOf(inFewRooms), c.roomsOf(inManyRooms)} {
			ms = append(ms, measurement{
				name: report.Rooms, at: float64(2 * rooms), config: c.spread(rooms), rounds: c.Rounds, env: []string{pinging(roomsPing)}, withoutFloor: true, rivalRounds: c.RivalRounds,
			})
		}
	}
	if c.DropClients > 0 {
		ms = append(ms, measurement{
			name: report.Drop, at: float64(c.DropClients), config: c.drop(), rounds: c.Rounds, env: []string{recovering}, withoutFloor: true, rivalRounds: c.RivalRounds,
		})
	}
	ms = append(ms, measurement{name: report.Knee, config: c.knee(), rounds: c.KneeRounds})
	for _, rate := range c.Rates {
		ms = append(ms, measurement{name: report.Rate, at: rate, config: c.rate(rate), rounds: 1, ladder: true})
	}
	return ms
}

// takesPart reports whether a peer is measured in a round, counted from 0.
func (m measurement) takesPart(p Peer, isFirst bool, round int) bool {
	switch {
	case round >= m.rounds, p.isFloor && m.withoutFloor:
		return false
	case isFirst || m.rivalRounds <= 0:
		return true
	}
	return round < m.rivalRounds
}

// storm connects as fast as the server accepts: at a lower rate, its CPU time per connection would mostly be that of going
// to sleep and waking.
func (c Config) storm() scenario.Config {
	return scenario.Config{Scenario: scenario.Storm, Crowd: swarm.Config{Clients: c.StormClients, ConnectRate: unpaced}}
}

func (c Config) idle() scenario.Config {
	return scenario.Config{
		Scenario: scenario.Idle,
		Crowd:    swarm.Config{Clients: c.IdleClients, Rooms: max(1, c.IdleClients/perIdleRoom), ConnectRate: unpaced, JoinRate: unpaced},
		Plan:     swarm.Plan{Duration: c.IdleTime},
	}
}

// pinging returns the variable for a ping interval in a form that all servers understand: a whole number of milliseconds.
func pinging(interval time.Duration) string {
	return fmt.Sprintf("PING_INTERVAL=%dms", interval.Milliseconds())
}

func (c Config) roomsOf(members int) int { return max(1, c.RoomsClients/members) }

// spread holds RoomsClients idle connections in the given number of conversations.
func (c Config) spread(rooms int) scenario.Config {
	return scenario.Config{
		Scenario: scenario.Idle,
		Crowd: swarm.Config{
			Clients: c.RoomsClients, Rooms: rooms, Users: min(roomUsers, c.RoomsClients), ConnectRate: unpaced, JoinRate: unpaced,
		},
		Plan:   swarm.Plan{Duration: roomsHold},
		Spoken: roomSpoken,
	}
}

func (c Config) drop() scenario.Config {
	rooms := max(1, c.DropClients/perDropRoom)
	return scenario.Config{
		Scenario: scenario.Drop,
		Crowd:    swarm.Config{Clients: c.DropClients, Rooms: rooms, ConnectRate: unpaced, JoinRate: unpaced},
		Plan:     swarm.Plan{Rate: scenario.DropRate(rooms), Drain: 20 * time.Second, Quiet: 5 * time.Second},
	}
}

// room sends at a rate that gives every size of room the same deliveries per second.
func (c Config) room(size int) scenario.Config {
	rate := c.RoomRate * float64(c.RoomClients) / float64(size)
	senders := roomSenders
	if rate > c.RoomRate {
		senders = mostSenders
	}
	return scenario.Config{
		Scenario: scenario.Room,
		Crowd:    swarm.Config{Clients: size, Users: min(roomUsers, size), ConnectRate: unpaced, JoinRate: unpaced},
		Plan: swarm.Plan{
			Rate: rate, Senders: min(senders, size), Warmup: c.Warmup, Duration: c.RoomTime,
			Drain: 20 * time.Second, Quiet: 5 * time.Second,
		},
	}
}

func (c Config) steady() scenario.Config {
	cfg := c.room(c.RoomClients)
	cfg.Crowd.Clients, cfg.Crowd.Users = c.StuckClients, min(roomUsers, c.StuckClients)
	cfg.Plan.Rate, cfg.Plan.Size, cfg.Plan.Duration = stuckRate, stuckSize, c.StuckTime
	cfg.Plan.Senders = roomSenders
	return cfg
}

func (c Config) stuck() scenario.Config {
	cfg := c.steady()
	cfg.Crowd.Stalled = max(1, c.StuckClients/stuckPart)
	return cfg
}

// knee searches the highest rate. It does not wait long for a backlog: a rate that leaves one has broken already.
func (c Config) knee() scenario.Config {
	cfg := c.room(c.RoomClients)
	cfg.FindKnee, cfg.MaxP99, cfg.MaxRate, cfg.Retries = true, kneeLimit, kneeMaxRate, 1
	cfg.Plan.Senders = mostSenders
	// The crowd stays from rate to rate, so only the first needs a real warm-up.
	cfg.Plan.Warmup, cfg.Plan.Duration = c.Warmup/3, c.KneeTime
	cfg.Plan.Drain, cfg.Plan.Quiet = 2*time.Second, time.Second
	return cfg
}

func (c Config) rate(rate float64) scenario.Config {
	cfg := c.room(c.RoomClients)
	cfg.Plan.Rate, cfg.Plan.Senders, cfg.Plan.Duration = rate, mostSenders, c.RateTime
	cfg.Plan.Drain, cfg.Plan.Quiet = 3*time.Second, time.Second
	return cfg
}

// brokenP99, in milliseconds, ends a ladder: beyond it, latency is only the length of a queue.
const brokenP99 = 1000

func (m measurement) broke(r scenario.Result) bool {
	return m.ladder && r.Load != nil && (r.Load.Fault() != "" || r.Load.Latency.P99 >= brokenP99)
}

// sizes returns what the report's rows are about. cores are the machine's.
func (c Config) sizes(cores int) report.Sizes {
	return report.Sizes{
		Peers: slices.Clone(c.Peers), RoomClients: c.RoomClients, RoomRate: c.RoomRate, RoomSizes: c.RoomSizes, Rates: c.Rates,
		IdleClients: c.IdleClients, FewRooms: 2 * c.roomsOf(inFewRooms), ManyRooms: 2 * c.roomsOf(inManyRooms), RoomSpoken: roomSpoken,
		DropClients: c.DropClients, Cores: cores,
	}
}
