//go:build linux

package scenario

import (
	"context"
	"errors"
	"time"

	"parley/test/load/internal/swarm"
)

var errNoPID = errors.New("the server's process id is needed to read its memory")

// idle reads the server's memory three times: at the start, with one crowd connected and joined, and with a second one of
// the same size. From the start to the end it grows by everything that comes with connections. Between the two crowds,
// what a server allocates once, or keeps spare for garbage, is in both readings, so that the difference is what each
// connection takes.
func (b *bench) idle(ctx context.Context, result *Result) error {
	if b.PID == 0 {
		return errNoPID
	}
	m := &Memory{Start: b.meter().ServerRSS}
	first, err := b.crowd(b.Crowd.Clients)
	if err != nil {
		return err
	}
	defer first.Close()
	if err := b.connect(ctx, first, result, true); err != nil {
		return err
	}
	if err := b.speak(ctx, first, result); err != nil {
		return err
	}
	if m.GCForced, err = b.settle(ctx, b.Plan.Duration/2); err != nil {
		return err
	}
	m.Middle, m.Below = b.meter().ServerRSS, first.Open()

	second, err := b.crowd(b.Crowd.Clients)
	if err != nil {
		return err
	}
	defer second.Close()
	if err := b.connect(ctx, second, result, true); err != nil {
		return err
	}
	if err := b.speak(ctx, second, result); err != nil {
		return err
	}
	began, cpu := time.Now(), b.meter().ServerCPU
	if err := sleep(ctx, b.Plan.Duration/2); err != nil {
		return err
	}
	m.IdleCPU = (b.meter().ServerCPU - cpu).Seconds() / time.Since(began).Seconds()
	forced, err := b.settle(ctx, b.Plan.Duration/2)
	if err != nil {
		return err
	}
	m.GCForced = m.GCForced && forced
	m.End = b.meter().ServerRSS
	m.Held = first.Open() + second.Open()
	m.Dropped = m.Below + result.Connect.Done - m.Held
	if m.Below > 0 && m.Held > m.Below {
		m.Each = float64(m.End-m.Start) / float64(m.Held)
		m.Marginal = float64(m.End-m.Middle) / float64(m.Held-m.Below)
	}
	result.Memory = m
	return nil
}

const (
	speakRate  = 2000 // messages per second
	speakDrain = 20 * time.Second
)

// speak sends Spoken messages in each of the crowd's conversations, by all members in turn. The result keeps the load of
// the last crowd, or of the first that had a fault.
func (b *bench) speak(ctx context.Context, s *swarm.Swarm, result *Result) error {
	cfg := b.crowdConfig(b.Crowd.Clients)
	messages := b.Spoken * cfg.Rooms
	if messages == 0 {
		return nil
	}
	plan := b.Plan
	plan.Rate, plan.Senders, plan.Warmup = speakRate, cfg.Clients, 0
	plan.Duration = time.Duration(float64(messages) / speakRate * float64(time.Second))
	plan.Drain, plan.Quiet = speakDrain, speakDrain/4
	load, err := b.send(ctx, s, plan)
	if err != nil {
		return err
	}
	if result.Load == nil || result.Load.Fault() == "" {
		result.Load = load
	}
	return nil
}

// settle makes the server collect its garbage, if it offers that, and then waits for d, because a runtime returns memory
// to the system little by little. It collects twice: in Go, the first collection only takes things out of pools, and the
// second frees them.
func (b *bench) settle(ctx context.Context, d time.Duration) (forced bool, err error) {
	for range 2 {
		forced = b.collect(ctx)
	}
	if err := sleep(ctx, d); err != nil {
		return forced, err
	}
	return forced, b.quiet(ctx)
}

// storm connects a crowd, which does not join.
func (b *bench) storm(ctx context.Context, result *Result) error {
	s, err := b.crowd(b.Crowd.Clients)
	if err != nil {
		return err
	}
	defer s.Close()
	return b.connect(ctx, s, result, false)
}
