//go:build linux

package scenario

import (
	"context"
	"fmt"
	"time"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
)

// lateLimit is how late the generator may send (p99) before a latency limit that broke is said to
// be its fault too.
const lateLimit = 25 * time.Millisecond

// Load is what sending found. Counts cover warm-up and measured window, latencies and use the
// window. Latencies begin when a message was due, not when it was written.
type Load struct {
	Rate     float64 `json:"rate"` // messages per second
	Senders  int     `json:"senders"`
	Size     int     `json:"size"`
	Warmup   float64 `json:"warmupSeconds"`
	Duration float64 `json:"durationSeconds"`

	Intended   int            `json:"intended"`
	Accepted   int            `json:"accepted"`
	Refused    map[string]int `json:"refused,omitempty"`
	Unsent     map[string]int `json:"unsent,omitempty"`
	Unanswered int            `json:"unanswered"`
	SeqGaps    uint64         `json:"seqGaps"`

	Deliveries tally.Deliveries  `json:"deliveries"`
	PerSecond  float64           `json:"deliveriesPerSecond"`
	Latency    tally.Percentiles `json:"latency"`
	LastOne    tally.Percentiles `json:"lastReceiver"`
	Acks       tally.Percentiles `json:"acks"`

	Checked   uint64         `json:"checked"`
	Malformed int            `json:"malformed"`
	Example   string         `json:"malformedExample,omitempty"`
	Errors    map[string]int `json:"errorEvents,omitempty"`
	Dropped   map[string]int `json:"dropped,omitempty"`

	ServerCPUMicros float64           `json:"serverCpuMicrosPerDelivery,omitempty"`
	ServerCores     float64           `json:"serverCores,omitempty"`
	ServerRSS       int64             `json:"serverRss,omitempty"`
	ServerPeakRSS   int64             `json:"serverPeakRss,omitempty"`
	OwnCPUMicros    float64           `json:"generatorCpuMicrosPerDelivery"`
	OwnCores        float64           `json:"generatorCores"`
	Late            tally.Percentiles `json:"generatorLate"`
}

// Knee is the highest rate that held, with the load measured at it.
type Knee struct {
	pace.Found
	MaxP99Ms float64 `json:"maxP99Ms"`
	At       *Load   `json:"at,omitempty"`
}

// load connects, joins and sends once.
func (b *bench) load(ctx context.Context, result *Result) error {
	s, err := b.crowd(b.Crowd.Clients)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := b.connect(ctx, s, result, true); err != nil {
		return err
	}
	result.Load, err = b.send(ctx, s, b.Plan.Rate)
	return err
}

func (b *bench) send(ctx context.Context, s *swarm.Swarm, rate float64) (*Load, error) {
	plan := b.Plan
	plan.Rate, plan.Meter = rate, b.meter
	out, err := s.Run(ctx, plan)
	if err != nil {
		return nil, err
	}
	return loadOf(plan, out, b.PID != 0), nil
}

func loadOf(plan swarm.Plan, out swarm.Outcome, metered bool) *Load {
	l := &Load{
		Rate: plan.Rate, Senders: plan.Senders, Size: plan.Size,
		Warmup: plan.Warmup.Seconds(), Duration: plan.Duration.Seconds(),
		Intended: out.Intended, Accepted: out.Accepted, Refused: out.Refused, Unsent: out.Unsent,
		Unanswered: out.Unanswered, SeqGaps: out.SeqGaps, Deliveries: out.Deliveries,
		Latency: out.Latency, LastOne: out.LastOne, Acks: out.Acks, Late: out.Late,
		Checked: out.Checked, Malformed: out.Malformed, Example: out.Example,
		Errors: out.Errors, Dropped: out.Dropped,
	}
	seconds := (out.To.At - out.From.At).Seconds()
	delivered := float64(out.To.Delivered - out.From.Delivered)
	if seconds <= 0 || delivered == 0 {
		return l
	}
	own := out.To.OwnCPU - out.From.OwnCPU
	l.PerSecond = delivered / seconds
	l.OwnCPUMicros = micros(own) / delivered
	l.OwnCores = own.Seconds() / seconds
	if metered {
		cpu := out.To.ServerCPU - out.From.ServerCPU
		l.ServerCPUMicros = micros(cpu) / delivered
		l.ServerCores = cpu.Seconds() / seconds
		l.ServerRSS, l.ServerPeakRSS = out.To.ServerRSS, out.To.ServerPeak
	}
	return l
}

// Fault says what is wrong with the load, "" if everything sent was accepted and arrived once
// and in order.
func (l *Load) Fault() string {
	sum := func(m map[string]int) (n int) {
		for _, v := range m {
			n += v
		}
		return n
	}
	switch {
	case sum(l.Dropped) > 0:
		return fmt.Sprintf("connections dropped: %v", l.Dropped)
	case sum(l.Refused) > 0:
		return fmt.Sprintf("sends refused: %v", l.Refused)
	case sum(l.Unsent) > 0:
		return fmt.Sprintf("sends not written: %v", l.Unsent)
	case l.Malformed > 0:
		return fmt.Sprintf("%d malformed packets, first: %s", l.Malformed, l.Example)
	case !l.Deliveries.Clean():
		return fmt.Sprintf("%d lost, %d doubled, %d reordered", l.Deliveries.Lost, l.Deliveries.Doubled, l.Deliveries.Reordered)
	case l.Unanswered > 0:
		return fmt.Sprintf("%d sends unanswered", l.Unanswered)
	case l.SeqGaps > 0:
		return fmt.Sprintf("%d seq numbers skipped", l.SeqGaps)
	}
	return ""
}

// breaks says why the load does not hold with a p99 under limit, "" if it does. Latency counts from
// the due time: a generator that is itself late can make a server look worse, never better.
func (l *Load) breaks(limit time.Duration) string {
	if fault := l.Fault(); fault != "" {
		return fault
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	if l.Latency.P99 < ms(limit) {
		return ""
	}
	why := fmt.Sprintf("p99 %.0f ms", l.Latency.P99)
	if l.Late.P99 > ms(lateLimit) {
		why += fmt.Sprintf(" (the generator itself was late: p99 %.0f ms)", l.Late.P99)
	}
	return why
}
