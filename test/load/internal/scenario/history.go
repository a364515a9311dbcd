//go:build linux

package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
)

// History is what a long conversation costs.
type History struct {
	Messages  int               `json:"messages"`                       // in the log before anybody joined
	Each      float64           `json:"bytesEach,omitempty"`            // growth of the server's resident size per message
	Pages     tally.Percentiles `json:"pages"`                          // time for one page at a random place, read one after the other
	PageCPU   float64           `json:"serverCpuMicrosPage,omitempty"`  // server CPU per page
	WriteCPU  float64           `json:"serverCpuMicrosWrite,omitempty"` // server CPU per message, with one member
	PageLimit int               `json:"pageLimit"`                      // messages asked for in each page
}

const (
	prefillRate = 4000 // messages per second
	pageCount   = 500
	pageLimit   = 50
)

// prefill has one client write History messages and then disconnect.
func (b *bench) prefill(ctx context.Context, result *Result) error {
	cfg := b.crowdConfig(1)
	cfg.Stalled, cfg.Churn, cfg.Idle, cfg.Users = 0, 0, 0, 1
	s, err := swarm.New(cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := b.connect(ctx, s, &Result{}, true); err != nil {
		return err
	}
	before := b.meter()
	out, err := s.Run(ctx, swarm.Plan{
		Rate: prefillRate, Duration: time.Duration(float64(b.History) / prefillRate * float64(time.Second)),
		Size: b.Plan.Size, MaxSize: b.Plan.MaxSize, Senders: 1, Drain: time.Minute, Quiet: b.Plan.Quiet,
	})
	if err != nil {
		return err
	}
	if out.Accepted < b.History {
		return fmt.Errorf("history: only %d of %d messages were accepted, refused: %v", out.Accepted, b.History, out.Refused)
	}
	if err := b.quiet(ctx); err != nil {
		return err
	}
	after := b.meter()
	h := &History{Messages: out.Accepted, PageLimit: pageLimit}
	if b.PID != 0 {
		h.Each = float64(after.ServerRSS-before.ServerRSS) / float64(out.Accepted)
		h.WriteCPU = micros(after.ServerCPU-before.ServerCPU) / float64(out.Accepted)
	}
	result.History = h
	return nil
}

// pages reads pages of the history from random places, and measures them.
func (b *bench) pages(ctx context.Context, s *swarm.Swarm, h *History) error {
	took, cpu := tally.NewLatency(), b.meter().ServerCPU
	for range pageCount {
		argument := fmt.Sprintf(`{"conversationId":%q,"before":%d,"limit":%d}`, s.Conversation(0), 1+rand.IntN(h.Messages+1), pageLimit)
		began := time.Now()
		ok, code, err := s.Ask(ctx, "history", []byte(argument), probeLimit)
		switch {
		case errors.Is(err, swarm.ErrUnanswered):
			return &missingError{event: "history"}
		case err != nil:
			return err
		case !ok:
			return fmt.Errorf("history is refused: %s", code)
		}
		took.Record(time.Since(began))
	}
	h.Pages = took.Percentiles()
	if b.PID != 0 {
		h.PageCPU = micros(b.meter().ServerCPU-cpu) / pageCount
	}
	return nil
}
