//go:build linux

// Package compare measures servers against each other on this machine. Each is started afresh for every measurement, and
// the rounds are interleaved (A B C A B C …), so that other work on the machine affects all of them alike. The outcome is
// a report.Report.
package compare

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/test/load/internal/scenario"
)

// Config says what to compare and for how long. Flags fills it from a command line.
type Config struct {
	Peers        []string // in this order each round; the first is the one to be judged
	ParleyBinary string
	FloorBinary  string
	NodeDir      string
	BunDir       string
	ParleyEnv    string // K=V separated by blanks
	NodeFlags    string // separated by blanks
	Commit       string // of what is measured, for the report
	LeftOut      string // why a peer one would expect is missing

	Rounds      int
	KneeRounds  int // rounds of the search for the highest rate; under 0: half of Rounds, rounded up
	RivalRounds int // rounds in which the other peers take part where the target is not a ratio to them

	RoomClients  int
	RoomRate     float64 // messages per second; with RoomClients the deliveries per second of all rooms
	RoomTime     time.Duration
	RoomSizes    []int         // in which CPU per delivery is measured besides RoomClients
	Warmup       time.Duration // sending before each measured time
	KneeTime     time.Duration
	Rates        []float64 // messages per second at which latency is measured; none leaves it out
	RateTime     time.Duration
	StormClients int
	IdleClients  int // added to as many
	IdleTime     time.Duration
	Ping         time.Duration // interval while idle
	RoomsClients int           // spread over few and many conversations, added to as many; 0 leaves it out
	DropClients  int           // dropped at once; 0 leaves it out
	StuckClients int           // 0 leaves it out
	StuckTime    time.Duration
	SweepTime    time.Duration // of each value in Sweeps
	ForceGC      bool
	AnyLoad      bool   // the machine may be busy with something else
	Docs         string // folder the page is written to, "" for none

	Nap   time.Duration // as in swarm.Config
	Loops int           // as in swarm.Config
}

// Flags defines the command-line flags of a comparison. Their defaults are those of the published figures.
func (c *Config) Flags(fs *flag.FlagSet) {
	c.Peers = []string{Parley, Node, Bun, Floor}
	c.RoomSizes = []int{10, 100, 10_000}
	c.Rates = []float64{40, 80, 160, 320, 640, 1280}
	fs.Func("peers", "servers to compare, in this order each round (default parley,node,bun,floor)", list(&c.Peers, word))
	fs.StringVar(&c.ParleyBinary, "parley", "", "binary of Parley")
	fs.StringVar(&c.FloorBinary, "floor", "", "binary of the floor")
	fs.StringVar(&c.NodeDir, "node-dir", "", "folder of the Node server, its packages installed")
	fs.StringVar(&c.BunDir, "bun-dir", "", "folder of the Bun server, its packages installed")
	fs.StringVar(&c.ParleyEnv, "parley-env", "", "further environment of Parley, K=V separated by blanks")
	fs.StringVar(&c.NodeFlags, "node-flags", "", "further flags of node, separated by blanks")
	fs.StringVar(&c.Commit, "commit", "", "what is measured; for the report")
	fs.StringVar(&c.LeftOut, "left-out", "", "why a server one would expect is missing; for the report")

	fs.IntVar(&c.Rounds, "rounds", 5, "rounds of every measurement but the highest rate")
	fs.IntVar(&c.KneeRounds, "knee-rounds", -1, "rounds of the search for the highest rate; 0 leaves it out (default half of -rounds)")
	fs.IntVar(&c.RivalRounds, "rival-rounds", 2, "rounds in which the others take part where the figure to reach is not a ratio to theirs")
	fs.IntVar(&c.RoomClients, "room-clients", 1000, "clients of the big room")
	fs.Float64Var(&c.RoomRate, "room-rate", 40, "messages per second in the big room")
	fs.DurationVar(&c.RoomTime, "room-time", 5*time.Second, "measured time of each room")
	fs.Func("room-sizes", "further sizes of room, in which CPU per delivery is measured (default 10,100,10000)", list(&c.RoomSizes, strconv.Atoi))
	fs.DurationVar(&c.KneeTime, "knee-time", 1500*time.Millisecond, "measured time of each rate tried")
	fs.Func("rates", "messages per second at which latency is measured; empty leaves it out (default 40,80,160,320,640,1280)", list(&c.Rates, decimal))
	fs.DurationVar(&c.RateTime, "rate-time", 3*time.Second, "measured time of each of them")
	fs.IntVar(&c.StormClients, "storm-clients", 3000, "connections to set up")
	fs.IntVar(&c.IdleClients, "idle-clients", 5000, "idle connections added to as many")
	fs.DurationVar(&c.IdleTime, "idle-time", 11*time.Second, "how long idle connections are held; half of it is over -ping")
	fs.DurationVar(&c.Ping, "ping", 5*time.Second, "ping interval of idle connections")
	fs.IntVar(&c.RoomsClients, "rooms-clients", 1000, "idle connections, added to as many, spread over few and many conversations; 0 leaves it out")
	fs.IntVar(&c.DropClients, "drop-clients", 10_000, "connections dropped at once, to be recovered; 0 leaves it out")
	fs.IntVar(&c.StuckClients, "stuck-clients", 200, "clients of the room with stuck members; 0 leaves it out")
	fs.DurationVar(&c.StuckTime, "stuck-time", 10*time.Second, "measured time with and without stuck members")
	fs.DurationVar(&c.SweepTime, "sweep-time", 4*time.Second, "measured time of each value of -sweeps")
	fs.BoolVar(&c.ForceGC, "force-gc", true, "have the servers collect garbage before memory is read")
	fs.BoolVar(&c.AnyLoad, "any-load", false, "do not look whether the machine is busy with something else")
	fs.StringVar(&c.Docs, "docs", "", "folder to write benchmarks.md, its charts and the results to, or with -sweeps benchmarks-sweeps.md")
}

// list parses values separated by commas. The empty text is an empty list.
func list[T any](to *[]T, parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		*to = nil
		for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) {
			v, err := parse(strings.TrimSpace(part))
			if err != nil {
				return err
			}
			*to = append(*to, v)
		}
		return nil
	}
}

func word(s string) (string, error) { return s, nil }

func decimal(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

// normal checks the configuration and fills in what follows from it: sorted sizes and rates, and KneeRounds.
func (c Config) normal() (Config, error) {
	switch {
	case len(c.Peers) == 0:
		return c, errors.New("-peers: name at least one server")
	case c.Rounds < 1:
		return c, errors.New("-rounds: at least one")
	case c.RoomClients < 1 || c.RoomRate <= 0 || c.IdleClients < 1 || c.StormClients < 1:
		return c, errors.New("-room-clients, -room-rate, -idle-clients and -storm-clients must be over 0")
	case c.IdleTime/2 <= c.Ping:
		return c, fmt.Errorf("-idle-time %s: half of it must be over -ping %s, or the connections were never idle for an interval", c.IdleTime, c.Ping)
	}
	for _, rate := range c.Rates {
		if rate <= 0 {
			return c, errors.New("-rates must be over 0")
		}
	}
	sizes := append(slices.Clone(c.RoomSizes), c.RoomClients)
	slices.Sort(sizes)
	if c.RoomSizes = slices.Compact(sizes); c.RoomSizes[0] < 2 {
		return c, errors.New("-room-sizes must be over 1")
	}
	c.Rates = slices.Sorted(slices.Values(c.Rates))
	if c.KneeRounds < 0 {
		c.KneeRounds = (c.Rounds + 1) / 2
	}
	return c, nil
}

// MostClients is the largest number of connections held at the same time.
func (c Config) MostClients() int {
	return max(c.RoomClients, slices.Max(append([]int{0}, c.RoomSizes...)), c.StormClients, 2*c.IdleClients, 2*c.RoomsClients, c.StuckClients, scenario.DropCrowd(c.drop().Crowd).Clients)
}
