//go:build linux

package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
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
	sweeps   bool
	scenario scenario.Config
	rounds   compare.Config
	sweep    scenario.Sweep // the one to run, unless its By is ""

	transport                string
	stalledShare, churnShare float64 // of the clients
}

func parse(args []string, errs io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	fs.SetOutput(errs)
	fs.BoolVar(&o.json, "json", false, "print the result as JSON")
	fs.BoolVar(&o.compare, "compare", false, "start the servers named by -peers and compare them; of the other flags only -warmup, -nap and -loops then apply")
	fs.BoolVar(&o.sweeps, "sweeps", false, "start the first server named by -peers and run every sweep; of the other flags only -sweep-time, -docs, -any-load and those -compare knows of servers then apply")
	o.scenarioFlags(fs)
	o.rounds.Flags(fs)
	var sweep string
	fs.StringVar(&sweep, "sweep", "", "run once per value: "+strings.Join(scenario.Sweeps, "=…, ")+"=… with numbers separated by commas")
	fs.Float64Var(&o.sweep.Deliveries, "sweep-deliveries", 10_000, "deliveries per second at each value of -sweep; 0 keeps -rate")
	err := fs.Parse(args)
	if err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	o.rounds.Warmup = o.scenario.Plan.Warmup
	o.rounds.Nap = o.scenario.Crowd.Nap
	o.rounds.Loops = o.scenario.Crowd.Loops
	if o.compare || o.sweeps {
		return o, nil
	}
	if sweep != "" {
		deliveries := o.sweep.Deliveries
		if o.sweep, err = scenario.ParseSweep(sweep); err != nil {
			return o, err
		}
		o.sweep.Deliveries = deliveries
	}
	return o, o.validate()
}

func (o *options) scenarioFlags(fs *flag.FlagSet) {
	c := &o.scenario
	fs.StringVar(&c.Scenario, "scenario", scenario.Room, "one of "+strings.Join(scenario.Names, " ")+"; see README.md")
	fs.StringVar(&c.Server, "url", "http://127.0.0.1:3000", "server")
	fs.StringVar(&c.Secret, "secret", "", "HS256 secret the clients' tokens are signed with")
	fs.IntVar(&c.PID, "pid", 0, "server process, to read its CPU time and memory from /proc")
	fs.StringVar(&c.GC, "gc-url", "", "GET it before memory is read: a URL that makes the server collect garbage")

	fs.IntVar(&c.Crowd.Clients, "clients", 0, "connections (default 1000, drop 10000; idle holds twice as many, drop one more per conversation, see README.md)")
	fs.IntVar(&c.Crowd.Rooms, "rooms", 0, "conversations the clients are spread over (default: one; rooms, idle and drop one per 10 clients)")
	fs.IntVar(&c.Crowd.Users, "users", 0, "distinct users, each with several connections (default: one per connection)")
	fs.IntVar(&c.Crowd.Stalled, "stalled", 0, "clients that join and then never read; not counted as receivers")
	fs.Float64Var(&o.stalledShare, "stalled-share", 0, "the same as a share of the clients: 0.01 is one in a hundred, at least one")
	fs.Float64Var(&o.churnShare, "churn-share", 0.1, "churn: share of the clients that leave and join all the time, at least one")
	fs.StringVar(&o.transport, "transport", "websocket", "websocket or polling; the scenario polling always polls")
	fs.StringVar(&c.Crowd.Prefix, "prefix", "", "what user and conversation ids begin with (default: a new one); conversation i of a run is PREFIX-1-i")
	fs.StringVar(&c.Crowd.Origin, "origin", "", "Origin header of the handshake")
	fs.Float64Var(&c.Crowd.ConnectRate, "connect-rate", 1000, "most new connections per second")
	fs.IntVar(&c.Crowd.Dialers, "dialers", 64, "most connections being set up at once")
	fs.Float64Var(&c.Crowd.JoinRate, "join-rate", 2000, "most joins per second")
	fs.IntVar(&c.Crowd.Sources, "sources", 0, "local addresses 127.0.0.1… to connect from (default: one per 20,000 clients)")
	fs.IntVar(&c.Crowd.Loops, "loops", max(1, runtime.NumCPU()/4), "reading threads")
	fs.DurationVar(&c.Crowd.Nap, "nap", time.Millisecond, "wait after a wake-up so that reads gather; latencies may be too long by this; negative: none")
	fs.IntVar(&c.Crowd.Sample, "sample", 0, "decode and check one message in so many in full (default 1000, big 10)")

	fs.IntVar(&c.Plan.Senders, "senders", 4, "clients that send in turn, over all rooms")
	fs.Float64Var(&c.Plan.Rate, "rate", 0, "messages per second over all senders; with -find-knee the first rate tried (default 40, big 2, confirm 10, drop a message to each conversation every 4 s)")
	fs.DurationVar(&c.Plan.Duration, "duration", 10*time.Second, "measured window; for idle how long connections are held")
	fs.DurationVar(&c.Plan.Warmup, "warmup", 1500*time.Millisecond, "sending before the measured window")
	fs.DurationVar(&c.Plan.Drain, "drain", 20*time.Second, "longest wait for the last deliveries")
	fs.DurationVar(&c.Plan.Quiet, "quiet", 5*time.Second, "end that wait after so long without any delivery")
	fs.IntVar(&c.Plan.Size, "size", 0, "bytes of content per message (default 128, big 16384)")
	fs.IntVar(&c.Plan.MaxSize, "max-size", 0, "if more than -size: contents have all sizes up to this (default for big 65536)")
	fs.Float64Var(&c.Plan.Typing.Rate, "typing-rate", 0, "typing events per second beside the messages (default: typing 1000, else none)")
	fs.IntVar(&c.Plan.Typing.Typists, "typists", 100, "clients that type")
	fs.Float64Var(&c.Plan.ChurnRate, "churn-rate", 0, "joins and leaves per second beside the messages (default: churn 100, else none)")
	fs.IntVar(&c.Crowd.Idle, "idle-rooms", 0, "further conversations, each joined by one client, in turn, and never used")
	fs.IntVar(&c.History, "history", 0, "messages in the conversation's log before anybody joins; pages of it are then read, too")
	fs.BoolVar(&c.Plan.Confirm, "confirm", false, "messages ask to be confirmed (always in the scenario confirm)")
	fs.BoolVar(&c.Baseline, "baseline", true, "with stalled clients, churn or typing: measure the same without them first")

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
	if !slices.Contains(scenario.Names, c.Scenario) {
		return fmt.Errorf("-scenario %s: must be one of %s", c.Scenario, strings.Join(scenario.Names, " "))
	}
	if o.transport != "websocket" && o.transport != "polling" {
		return fmt.Errorf("-transport %s: must be websocket or polling", o.transport)
	}
	if o.stalledShare < 0 || o.stalledShare >= 1 || o.churnShare <= 0 || o.churnShare >= 1 {
		return errors.New("-stalled-share must be from 0 to below 1, -churn-share between 0 and 1")
	}
	clients := 1000
	if c.Scenario == scenario.Drop {
		clients = 10_000
	}
	c.Crowd.Clients = cmp.Or(c.Crowd.Clients, clients)
	c.Crowd.Polling = o.transport == "polling" || c.Scenario == scenario.Polling
	if c.Crowd.Stalled == 0 && o.stalledShare > 0 {
		c.Crowd.Stalled = shareOf(c.Crowd.Clients, o.stalledShare)
	}
	o.fillIn()
	if c.Plan.ChurnRate > 0 {
		c.Crowd.Churn = shareOf(c.Crowd.Clients, o.churnShare)
	}
	if c.Plan.Size < wire.MinContent {
		return fmt.Errorf("-size must be at least %d, to hold the time stamp", wire.MinContent)
	}
	return nil
}

func shareOf(clients int, share float64) int { return max(1, int(float64(clients)*share+0.5)) }

// fillIn sets the scenario's defaults for what was not given.
func (o *options) fillIn() {
	c := &o.scenario
	rate, size, maxSize, typing, churn, rooms := 40.0, 128, 0, 0.0, 0.0, 1
	switch c.Scenario {
	case scenario.Rooms, scenario.Idle:
		rooms = max(1, c.Crowd.Clients/10)
	case scenario.Big:
		rate, size, maxSize = 2, 16<<10, 64<<10
		c.Crowd.Sample = cmp.Or(c.Crowd.Sample, 10)
	case scenario.Typing:
		typing = 1000
	case scenario.Churn:
		churn = 100
	case scenario.Confirm:
		rate, c.Plan.Confirm = 10, true
	case scenario.Drop:
		rooms = max(1, c.Crowd.Clients/10)
		rate = scenario.DropRate(cmp.Or(c.Crowd.Rooms, rooms))
	}
	c.Crowd.Rooms = cmp.Or(c.Crowd.Rooms, rooms)
	c.Plan.Rate = cmp.Or(c.Plan.Rate, rate)
	if c.Plan.Size == 0 {
		c.Plan.Size, c.Plan.MaxSize = size, cmp.Or(c.Plan.MaxSize, maxSize)
	}
	c.Plan.Typing.Rate = cmp.Or(c.Plan.Typing.Rate, typing)
	c.Plan.ChurnRate = cmp.Or(c.Plan.ChurnRate, churn)
}

// checkFiles fails at once if the clients need more descriptors than the process may open. Go's runtime has raised the
// soft limit to the hard one already.
func (o *options) checkFiles() error {
	clients := scenario.Held(o.scenario.Scenario, o.scenario.Crowd)
	switch {
	case o.sweep.By != "":
		clients = o.sweep.Largest(o.scenario)
	case o.sweeps:
		clients = compare.MostSwept()
	case o.compare:
		clients = o.rounds.MostClients()
	}
	need := uint64(clients) + 100
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("descriptor limit: %w", err)
	}
	if need > limit.Max {
		return fmt.Errorf("%d connections need %d file descriptors, and the limit is %d: raise it (ulimit -Hn) or use fewer clients", clients, need, limit.Max)
	}
	return nil
}
