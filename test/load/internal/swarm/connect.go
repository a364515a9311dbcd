//go:build linux

package swarm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// Setup is the outcome of connecting or joining.
type Setup struct {
	Wanted  int                `json:"wanted"`
	Done    int                `json:"done"`
	Retries int                `json:"retries,omitempty"`
	Seconds float64            `json:"seconds"`
	Took    *tally.Percentiles `json:"took,omitempty"`   // by one connection, with all its attempts; nil for joins
	Errors  map[string]int     `json:"errors,omitempty"` // of all failed attempts, also if a later one succeeded
	Idle    int                `json:"idle,omitempty"`   // idle conversations joined
}

// firstPause is the pause before the second attempt. Each later pause is twice as long as the one before.
const firstPause = 100 * time.Millisecond

// Connect sets up all connections that are not open, at most ConnectRate new ones per second and Dialers at a time: TCP,
// WebSocket or polling, Engine.IO, CONNECT with a token. Those that fail Attempts times stay closed and are reported in
// the Setup. The error says that the loops could not be started, or that ctx ended.
func (s *Swarm) Connect(ctx context.Context) (Setup, error) {
	if err := s.start(); err != nil {
		return Setup{}, err
	}
	var closed []*client
	for _, c := range s.clients {
		if !c.isOpen() {
			closed = append(closed, c)
		}
	}
	began := s.now()
	d := dialing{
		swarm: s, setup: Setup{Wanted: len(closed), Errors: map[string]int{}}, took: tally.NewLatency(),
		pace: pace.NewSchedule(began, s.cfg.ConnectRate, time.Duration(float64(len(closed)+1)/s.cfg.ConnectRate*float64(time.Second))),
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(s.cfg.Dialers, len(closed)) {
		workers.Go(func() {
			for {
				k := int(next.Add(1)) - 1
				if k >= len(closed) || pause(ctx, d.pace.Due(k)-s.now()) != nil {
					return
				}
				d.connect(ctx, closed[k])
			}
		})
	}
	workers.Wait()
	d.setup.Seconds = (s.now() - began).Seconds()
	took := d.took.Percentiles()
	d.setup.Took = &took
	return d.setup, ctx.Err()
}

// dialing is shared by the workers of one Connect.
type dialing struct {
	swarm *Swarm
	pace  pace.Schedule

	mu    sync.Mutex // guards the rest
	setup Setup
	took  *tally.Latency
}

// connect tries one client, with growing pauses. A refusal by the server is final.
func (d *dialing) connect(ctx context.Context, c *client) {
	began := d.swarm.now()
	for attempt := range d.swarm.cfg.Attempts {
		if attempt > 0 && pause(ctx, firstPause<<(attempt-1)) != nil {
			return
		}
		err := d.swarm.attempt(c, claim{})
		d.record(attempt, err, d.swarm.now()-began)
		var refused *refusedError
		if err == nil || errors.As(err, &refused) {
			return
		}
	}
}

func (d *dialing) record(attempt int, err error, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if attempt > 0 {
		d.setup.Retries++
	}
	if err != nil {
		d.setup.Errors[err.Error()]++
		return
	}
	d.setup.Done++
	d.took.Record(took)
}

// attempt sets up one connection and hands it to the client's loop. If the claim is not empty, the connection asks to
// recover an earlier one.
func (s *Swarm) attempt(c *client, earlier claim) error {
	token, err := s.cfg.Token(c.user)
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	var source byte
	if s.target.ip.IsLoopback() && s.cfg.Sources > 1 {
		source = byte(1 + c.id%s.cfg.Sources)
	}
	deadline := time.Now().Add(s.cfg.Timeout)
	fd, err := s.target.dial(source, deadline)
	if err != nil {
		return err
	}
	h := handshake{fd: fd, deadline: deadline}
	e := established{fd: fd, source: source}
	if c.up != nil {
		e, err = h.poll(s.target, source, token)
	} else {
		var answer []byte
		answer, err = h.run(s.target, wire.AppendConnect(nil, token, earlier.pid, earlier.offset))
		e.rest = append(h.early, h.in...)
		if err == nil && s.cfg.Drop > 0 {
			e.answer, err = wire.DecodeConnected(answer)
		}
	}
	if err != nil {
		h.close()
		return err
	}
	c.loop.call(func() { err = c.loop.adopt(c, e) })
	return err
}
