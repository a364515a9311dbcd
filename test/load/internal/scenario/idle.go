//go:build linux

package scenario

import (
	"context"
	"errors"
	"time"
)

// belowShare and belowLeast size the group that is connected before memory is first read. What
// a server allocates once, however many connections follow, is then in both readings.
const (
	belowShare = 5 // one in so many
	belowLeast = 50
)

var errNoPID = errors.New("the server's process id is needed to read its memory")

// idle reads the server's memory before and after a crowd has connected and joined.
func (b *bench) idle(ctx context.Context, result *Result) error {
	if b.PID == 0 {
		return errNoPID
	}
	m := &Memory{Below: max(b.Crowd.Clients/belowShare, belowLeast)}
	first, err := b.crowd(m.Below)
	if err != nil {
		return err
	}
	defer first.Close()
	if err := b.connect(ctx, first, result, true); err != nil {
		return err
	}
	if err := sleep(ctx, b.Plan.Duration/2); err != nil {
		return err
	}
	m.GCForced = b.collect(ctx)
	if err := b.quiet(ctx); err != nil {
		return err
	}
	m.Before = b.meter().ServerRSS

	second, err := b.crowd(b.Crowd.Clients)
	if err != nil {
		return err
	}
	defer second.Close()
	if err := b.connect(ctx, second, result, true); err != nil {
		return err
	}
	began, cpu := time.Now(), b.meter().ServerCPU
	if err := sleep(ctx, b.Plan.Duration); err != nil {
		return err
	}
	m.IdleCPU = (b.meter().ServerCPU - cpu).Seconds() / time.Since(began).Seconds()
	m.GCForced = b.collect(ctx) && m.GCForced
	if err := b.quiet(ctx); err != nil {
		return err
	}
	m.After = b.meter().ServerRSS
	if m.Held = result.Join.Done; m.Held > 0 {
		m.PerEach = float64(m.After-m.Before) / float64(m.Held)
	}
	result.Memory = m
	return nil
}

// storm connects a crowd and no more.
func (b *bench) storm(ctx context.Context, result *Result) error {
	s, err := b.crowd(b.Crowd.Clients)
	if err != nil {
		return err
	}
	defer s.Close()
	return b.connect(ctx, s, result, false)
}
