//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"time"

	"parley/test/load/internal/compare"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/wire"
)

// options are the parsed command line.
type options struct {
	json     bool
	compare  bool
	scenario scenario.Config
	rounds   compare.Config
}

func parse(args []string, errs io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	fs.SetOutput(errs)
	fs.BoolVar(&o.json, "json", false, "print the result as JSON")
	fs.BoolVar(&o.compare, "compare", false, "start the servers named by -peers and compare them; of the other flags only -warmup, -nap and -loops then apply")
	scenarioFlags(fs, &o.scenario)
	o.rounds.Flags(fs)
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	o.rounds.Warmup = o.scenario.Plan.Warmup
	o.rounds.Nap = o.scenario.Crowd.Nap
	o.rounds.Loops = o.scenario.Crowd.Loops
	if o.compare {
		return o, nil
	}
	return o, o.validate()
}

func scenarioFlags(fs *flag.FlagSet, c *scenario.Config) {
	fs.StringVar(&c.Scenario, "scenario", scenario.Room, "room (one conversation), rooms (many), idle (memory), storm (connection set-up)")
	fs.StringVar(&c.Server, "url", "http://127.0.0.1:3000", "server")
	fs.StringVar(&c.Secret, "secret", "", "HS256 secret the clients' tokens are signed with")
	fs.IntVar(&c.PID, "pid", 0, "server process, to read its CPU time and memory from /proc")
	fs.StringVar(&c.GC, "gc-url", "", "GET it before memory is read: a URL that makes the server collect garbage")

	fs.IntVar(&c.Crowd.Clients, "clients", 1000, "connections (idle: twice as many, see README.md)")
	fs.IntVar(&c.Crowd.Rooms, "rooms", 0, "conversations the clients are spread over (default: room 1, rooms and idle one per 10 clients)")
	fs.IntVar(&c.Crowd.Users, "users", 0, "distinct users, each with several connections (default: one per connection)")
	fs.IntVar(&c.Crowd.Stalled, "stalled", 0, "clients that join and then never read; not counted as receivers")
	fs.StringVar(&c.Crowd.Prefix, "prefix", "", "what user and conversation ids begin with (default: a new one); conversation i of a run is PREFIX-1-i")
	fs.StringVar(&c.Crowd.Origin, "origin", "", "Origin header of the handshake")
	fs.Float64Var(&c.Crowd.ConnectRate, "connect-rate", 1000, "most new connections per second")
	fs.IntVar(&c.Crowd.Dialers, "dialers", 64, "most connections being set up at once")
	fs.Float64Var(&c.Crowd.JoinRate, "join-rate", 2000, "most joins per second")
	fs.IntVar(&c.Crowd.Sources, "sources", 0, "local addresses 127.0.0.1… to connect from (default: one per 20,000 clients)")
	fs.IntVar(&c.Crowd.Loops, "loops", max(1, runtime.NumCPU()/4), "reading threads")
	fs.DurationVar(&c.Crowd.Nap, "nap", time.Millisecond, "wait after a wake-up so that reads gather; latencies may be too long by this; negative: none")
	fs.IntVar(&c.Crowd.Sample, "sample", 1000, "decode and check one message in so many in full")

	fs.IntVar(&c.Plan.Senders, "senders", 4, "clients that send in turn, over all rooms")
	fs.Float64Var(&c.Plan.Rate, "rate", 40, "messages per second over all senders; with -find-knee the first rate tried")
	fs.DurationVar(&c.Plan.Duration, "duration", 10*time.Second, "measured window; for idle how long connections are held")
	fs.DurationVar(&c.Plan.Warmup, "warmup", 1500*time.Millisecond, "sending before the measured window")
	fs.DurationVar(&c.Plan.Drain, "drain", 20*time.Second, "longest wait for the last deliveries")
	fs.DurationVar(&c.Plan.Quiet, "quiet", 5*time.Second, "end that wait after so long without any delivery")
	fs.IntVar(&c.Plan.Size, "size", 128, "bytes of content per message")

	fs.BoolVar(&c.FindKnee, "find-knee", false, "search the highest rate that loses nothing and keeps p99 under -max-p99")
	fs.DurationVar(&c.MaxP99, "max-p99", 100*time.Millisecond, "latency limit of -find-knee")
	fs.Float64Var(&c.MaxRate, "max-rate", 20_000, "highest rate -find-knee tries")
	fs.IntVar(&c.Retries, "retries", 1, "how often -find-knee tries a failed rate again")
}

func (o *options) validate() error {
	c := &o.scenario
	if c.Secret == "" {
		return errors.New("-secret is missing: the server must accept the clients' tokens")
	}
	if c.Plan.Size < wire.MinContent {
		return fmt.Errorf("-size must be at least %d, to hold the time stamp", wire.MinContent)
	}
	if c.Crowd.Rooms == 0 {
		c.Crowd.Rooms = 1
		if c.Scenario != scenario.Room {
			c.Crowd.Rooms = max(1, c.Crowd.Clients/10)
		}
	}
	return nil
}

// checkFiles fails early when the clients need more descriptors than the process may open. Go
// has raised the soft limit to the hard one.
func (o *options) checkFiles() error {
	clients := o.scenario.Crowd.Clients
	if o.scenario.Scenario == scenario.Idle {
		clients *= 2 // it holds two crowds
	}
	if o.compare {
		clients = o.rounds.MostClients()
	}
	need := uint64(clients) + 100
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("descriptor limit: %w", err)
	}
	if need > limit.Max {
		return fmt.Errorf("%d connections need %d file descriptors, the limit is %d (ulimit -Hn)", clients, need, limit.Max)
	}
	return nil
}
