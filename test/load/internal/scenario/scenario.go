//go:build linux

// Package scenario runs what is measured: messages in one big room or in many small ones, over WebSocket or polling, with
// churn, typing, confirmations or stuck receivers besides; connections that are all lost at once and come back; idle
// connections; a storm of new ones; and the search for the highest rate that holds.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/test/load/internal/procfs"
	"parley/test/load/internal/swarm"
)

// Names of the scenarios.
const (
	Room    = "room"    // all clients in one conversation
	Rooms   = "rooms"   // clients spread evenly over Config.Rooms conversations
	Idle    = "idle"    // connect, join, hold: memory per connection
	Storm   = "storm"   // connect only: CPU per connection
	Polling = "polling" // a room whose clients all poll
	Churn   = "churn"   // a room which members leave and join all the time
	Typing  = "typing"  // a room with a flood of typing beside the messages
	Confirm = "confirm" // a room whose messages are to be confirmed
	Big     = "big"     // a room with messages of many KiB
	Drop    = "drop"    // all but the senders lose their connections at once, and recover them
)

// Names are all of them, in the order of the README.
var Names = []string{Room, Rooms, Polling, Churn, Typing, Confirm, Big, Drop, Idle, Storm}

// Config says what to run against which server.
type Config struct {
	Scenario string
	Server   string // URL
	Secret   string // signs the clients' tokens (HS256)
	PID      int    // the server's process on this machine, 0 if its use cannot be read
	GC       string // URL that makes the server collect garbage when it is got, before memory is read; optional

	Crowd swarm.Config // URL and Token are set from the rest, Prefix is made unique if empty
	Plan  swarm.Plan   // Meter is set from PID; Duration is also how long Idle holds

	// History is how many messages the conversation's log holds before anybody joins. If it is not 0, pages of the
	// history are read, too. It is for scenarios with one conversation.
	History int

	// Spoken is how many messages are sent in each conversation of Idle, by its members in turn, before memory is read.
	Spoken int

	// Baseline runs the same load first without what disturbs it: stalled clients, churn, typing.
	Baseline bool

	FindKnee bool          // in scenarios that send: search for the highest rate, from Plan.Rate up
	MaxP99   time.Duration // a rate holds only if its p99 is below this
	MaxRate  float64       // highest rate tried, messages per second
	Retries  int           // how often a rate that failed is tried again
}

// Phase is the set-up of connections or memberships, with what it cost the server.
type Phase struct {
	swarm.Setup
	ServerCPUMicros float64 `json:"serverCpuMicrosEach,omitempty"`
}

// Memory is what idle connections keep resident.
type Memory struct {
	Start    int64   `json:"start"`  // server RSS with no connection, bytes
	Middle   int64   `json:"middle"` // with Below connections
	End      int64   `json:"end"`    // with Held connections
	Below    int     `json:"below"`  // about half of Held
	Held     int     `json:"held"`
	Dropped  int     `json:"dropped"`  // connections the server ended while they were held
	Each     float64 `json:"each"`     // bytes per connection, from start to end
	Marginal float64 `json:"marginal"` // bytes per connection, from middle to end
	IdleCPU  float64 `json:"idleCpu"`  // server CPU cores used while holding
	GCForced bool    `json:"gcForced"` // garbage was collected before the readings
}

// Result is the outcome of a scenario. Parts that do not apply are nil.
type Result struct {
	Scenario string `json:"scenario"`
	Server   string `json:"server"`
	Clients  int    `json:"clients"`
	Rooms    int    `json:"rooms"`
	Users    int    `json:"users"`
	Stalled  int    `json:"stalled,omitempty"`
	Idle     int    `json:"idleRooms,omitempty"` // conversations beside Rooms that are not used
	RSSStart int64  `json:"rssStart,omitempty"`  // of the server before the scenario, bytes
	// Transport is websocket or polling.
	Transport string `json:"transport"`
	// Supported is false if the server does not know something that the scenario needs, which Missing names. Then the
	// scenario was not run.
	Supported bool     `json:"supported"`
	Missing   string   `json:"missing,omitempty"`
	Connect   *Phase   `json:"connect,omitempty"`
	Join      *Phase   `json:"join,omitempty"`
	Load      *Load    `json:"load,omitempty"`
	History   *History `json:"history,omitempty"`
	Baseline  *Load    `json:"baseline,omitempty"` // the same without what disturbs
	Memory    *Memory  `json:"memory,omitempty"`
	Knee      *Knee    `json:"knee,omitempty"`
}

// Run runs one scenario. Failed connections, lost messages and the like are results. An error means that nothing could be
// measured.
func Run(ctx context.Context, cfg Config) (Result, error) {
	cfg.Crowd.Polling = cfg.Crowd.Polling || cfg.Scenario == Polling
	if cfg.Crowd.Prefix == "" {
		cfg.Crowd.Prefix = "load-" + strconv.FormatInt(time.Now().UnixMilli(), 36)
	}
	b := &bench{Config: cfg}
	result := Result{
		Scenario: cfg.Scenario, Server: cfg.Server, Clients: cfg.Crowd.Clients,
		Rooms: max(cfg.Crowd.Rooms, 1), Users: cfg.Crowd.Users, Stalled: cfg.Crowd.Stalled,
		Transport: transport(cfg.Crowd.Polling), Supported: true,
	}
	if result.Users == 0 {
		result.Users = result.Clients
	}
	if cfg.PID != 0 {
		if _, err := procfs.Read(cfg.PID); err != nil {
			return result, err
		}
	}
	result.Idle, result.RSSStart = cfg.Crowd.Idle, b.meter().ServerRSS
	var err error
	switch {
	case cfg.Scenario == Idle:
		err = b.idle(ctx, &result)
	case cfg.Scenario == Storm:
		err = b.storm(ctx, &result)
	case cfg.Scenario == Drop:
		err = b.drop(ctx, &result)
	case !slices.Contains(Names, cfg.Scenario):
		err = fmt.Errorf("scenario %q: must be one of %s", cfg.Scenario, strings.Join(Names, " "))
	case cfg.FindKnee:
		err = b.knee(ctx, &result)
	default:
		err = b.load(ctx, &result)
	}
	var missing *missingError
	if errors.As(err, &missing) {
		result.Supported, result.Missing, err = false, missing.event, nil
	}
	return result, err
}

func transport(polling bool) string {
	if polling {
		return "polling"
	}
	return "websocket"
}

// bench is one scenario under way.
type bench struct {
	Config
	crowds int // prepared so far
}

// crowd prepares n clients. Their user and conversation ids are shared with no other crowd: those of the k-th crowd begin
// with Prefix-k.
func (b *bench) crowd(n int) (*swarm.Swarm, error) {
	b.crowds++
	return swarm.New(b.crowdConfig(n))
}

// crowdConfig returns the configuration of the latest crowd, with n clients.
func (b *bench) crowdConfig(n int) swarm.Config {
	cfg := b.Crowd
	cfg.URL = b.Server
	cfg.Clients = n
	cfg.Rooms = min(max(cfg.Rooms, 1), n)
	cfg.Prefix += "-" + strconv.Itoa(b.crowds)
	cfg.Token = tokens(b.Secret, time.Now().Add(tokenLife))
	return cfg
}

// connect opens a crowd's connections and, if join is set, its memberships.
func (b *bench) connect(ctx context.Context, s *swarm.Swarm, result *Result, join bool) error {
	phase, err := b.phase(ctx, s.Connect)
	if result.Connect = phase; err != nil {
		return err
	}
	if b.Crowd.Polling && refusesPolling(phase.Setup) {
		return &missingError{event: "polling"}
	}
	if !join {
		return nil
	}
	result.Join, err = b.phase(ctx, s.Join)
	return err
}

// phase runs one set-up step, and attributes the server's CPU time to it, including what the server does right after.
func (b *bench) phase(ctx context.Context, step func(context.Context) (swarm.Setup, error)) (*Phase, error) {
	before := b.meter().ServerCPU
	setup, err := step(ctx)
	if err != nil {
		return &Phase{Setup: setup}, err
	}
	if err := b.quiet(ctx); err != nil {
		return &Phase{Setup: setup}, err
	}
	p := &Phase{Setup: setup}
	if b.PID != 0 && setup.Done > 0 {
		p.ServerCPUMicros = micros(b.meter().ServerCPU-before) / float64(setup.Done)
	}
	return p, nil
}

// meter reads the use of both processes. A server that is gone reads as zero; its dropped connections will tell.
func (b *bench) meter() swarm.Meter {
	var m swarm.Meter
	if own, err := procfs.Read(0); err == nil {
		m.OwnCPU = own.CPU
	}
	if b.PID == 0 {
		return m
	}
	if u, err := procfs.Read(b.PID); err == nil {
		m.ServerCPU, m.ServerRSS, m.ServerPeak = u.CPU, u.RSS, u.PeakRSS
	}
	return m
}

const (
	quietStep  = 200 * time.Millisecond
	quietLimit = 5 * time.Second
	quietCPU   = 10 * time.Millisecond // per quietStep; one tick of the kernel's clock
)

// quiet waits until the server has nearly stopped working, at most quietLimit.
func (b *bench) quiet(ctx context.Context) error {
	if b.PID == 0 {
		return ctx.Err()
	}
	last := b.meter().ServerCPU
	for end := time.Now().Add(quietLimit); time.Now().Before(end); {
		if err := sleep(ctx, quietStep); err != nil {
			return err
		}
		now := b.meter().ServerCPU
		if now-last <= quietCPU {
			return nil
		}
		last = now
	}
	return nil
}

// collect makes the server collect its garbage, if it offers that, and reports whether it did.
func (b *bench) collect(ctx context.Context) bool {
	if b.GC == "" {
		return false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.GC, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
