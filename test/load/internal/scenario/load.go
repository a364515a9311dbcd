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

// lateLimit is how late the generator may send (p99): above it, a broken latency limit is called the generator's fault too.
const lateLimit = 25 * time.Millisecond

// confirmPatience is longer than a server takes to give up on a confirmation, three tries of 2, 4 and 8 s, between which
// it may send nothing.
const confirmPatience = 16 * time.Second

// Load is the outcome of sending. Counts cover the warm-up and the measured window; latencies, CPU and memory cover the
// window alone. Latencies begin when a message was due, not when it was written.
type Load struct {
	Rate     float64 `json:"rate"` // messages per second
	Senders  int     `json:"senders"`
	Size     int     `json:"size"`              // bytes of the shortest content
	MaxSize  int     `json:"maxSize,omitempty"` // bytes of the longest content, if that is longer
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

	Typing        *swarm.Typed     `json:"typing,omitempty"`
	Confirmations *swarm.Confirmed `json:"confirmations,omitempty"`
	Churn         *swarm.Churned   `json:"churn,omitempty"`
	Recovery      *swarm.Recovered `json:"recovery,omitempty"`     // of connections dropped
	StalledEnded  int              `json:"stalledEnded,omitempty"` // stuck connections the server gave up

	EventsPerSecond float64 `json:"otherEventsPerSecond"` // events received other than messages: typing, user_joined, reports
	MiBPerSecond    float64 `json:"mibPerSecond"`         // received in messages

	// ServerCPUPerEvent is the server's CPU time, in microseconds, divided by all events received; ServerCPUMicros is the
	// same divided by messages received alone.
	ServerCPUPerEvent float64 `json:"serverCpuMicrosPerEvent,omitempty"`

	ServerCPUMicros float64           `json:"serverCpuMicrosPerDelivery,omitempty"`
	ServerCores     float64           `json:"serverCores,omitempty"`
	ServerRSS       int64             `json:"serverRss,omitempty"`
	ServerPeakRSS   int64             `json:"serverPeakRss,omitempty"`
	OwnCPUMicros    float64           `json:"generatorCpuMicrosPerDelivery"`
	OwnCores        float64           `json:"generatorCores"`
	Late            tally.Percentiles `json:"generatorLate"`

	stuck bool // some clients do not read, so not everything can be confirmed
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
	if b.History > 0 {
		if err := b.prefill(ctx, result); err != nil {
			return err
		}
	}
	if err := b.connect(ctx, s, result, true); err != nil {
		return err
	}
	if err := b.supported(ctx, s); err != nil {
		return err
	}
	if b.History > 0 {
		if err := b.pages(ctx, s, result.History); err != nil {
			return err
		}
	}
	if b.Baseline && b.disturbed() {
		plan := b.Plan
		plan.Typing, plan.ChurnRate = swarm.Typing{}, 0
		if result.Baseline, err = b.send(ctx, s, plan); err != nil {
			return err
		}
	}
	s.Stall()
	result.Load, err = b.send(ctx, s, b.Plan)
	return err
}

// disturbed reports whether something goes on besides the messages that should not affect them.
func (b *bench) disturbed() bool {
	return b.Crowd.Stalled > 0 || b.Plan.Typing.Rate > 0 || b.Plan.ChurnRate > 0
}

func (b *bench) send(ctx context.Context, s *swarm.Swarm, plan swarm.Plan) (*Load, error) {
	plan.Meter = b.meter
	if plan.Confirm {
		plan.Quiet, plan.Drain = max(plan.Quiet, confirmPatience), max(plan.Drain, confirmPatience)
	}
	out, err := s.Run(ctx, plan)
	if err != nil {
		return nil, err
	}
	l := loadOf(plan, out, b.PID != 0)
	l.stuck = b.Crowd.Stalled > 0
	return l, nil
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
		Typing: out.Typed, Confirmations: out.Confirmed, Churn: out.Churned, Recovery: out.Recovered, StalledEnded: out.Ended,
	}
	if plan.MaxSize > plan.Size {
		l.MaxSize = plan.MaxSize
	}
	seconds := (out.To.At - out.From.At).Seconds()
	delivered := float64(out.To.Delivered - out.From.Delivered)
	if seconds <= 0 || delivered == 0 {
		return l
	}
	own := out.To.OwnCPU - out.From.OwnCPU
	others := float64(out.To.Others - out.From.Others)
	l.PerSecond, l.EventsPerSecond = delivered/seconds, others/seconds
	l.MiBPerSecond = float64(out.To.Bytes-out.From.Bytes) / seconds / (1 << 20)
	l.OwnCPUMicros = micros(own) / delivered
	l.OwnCores = own.Seconds() / seconds
	if metered {
		cpu := out.To.ServerCPU - out.From.ServerCPU
		l.ServerCPUMicros = micros(cpu) / delivered
		l.ServerCPUPerEvent = micros(cpu) / (delivered + others)
		l.ServerCores = cpu.Seconds() / seconds
		l.ServerRSS, l.ServerPeakRSS = out.To.ServerRSS, out.To.ServerPeak
	}
	return l
}

// Fault says what is wrong with the load. It is "" if everything sent was accepted and arrived once and in order.
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
	case l.Recovery != nil && l.Recovery.Recovered < l.Recovery.Dropped:
		r := l.Recovery
		return fmt.Sprintf("of %d connections dropped %d are back and %d recovered: %v; %s", r.Dropped, r.Back, r.Recovered, r.Errors, wrong(l.Deliveries))
	case !l.Deliveries.Clean():
		return wrong(l.Deliveries)
	case l.Unanswered > 0:
		return fmt.Sprintf("%d sends unanswered", l.Unanswered)
	case l.SeqGaps > 0:
		return fmt.Sprintf("%d seq numbers skipped", l.SeqGaps)
	case l.Churn != nil && l.churnFault() != "":
		return "churn: " + l.churnFault()
	case l.Confirmations != nil && l.confirmFault() != "":
		return "confirmations: " + l.confirmFault()
	}
	return ""
}

func wrong(d tally.Deliveries) string {
	return fmt.Sprintf("%d lost, %d doubled, %d reordered", d.Lost, d.Doubled, d.Reordered)
}

func (l *Load) churnFault() string {
	c := l.Churn
	switch {
	case !c.Deliveries.Clean():
		return wrong(c.Deliveries)
	case c.Strays > 0:
		return fmt.Sprintf("%d messages to members that were out", c.Strays)
	case len(c.Refused) > 0 || len(c.Unsent) > 0:
		return fmt.Sprintf("refused %v, not written %v", c.Refused, c.Unsent)
	case c.Unanswered > 0:
		return fmt.Sprintf("%d joins or leaves unanswered", c.Unanswered)
	}
	return ""
}

func (l *Load) confirmFault() string {
	c := l.Confirmations
	switch {
	case c.Missing > 0 || c.Doubled > 0:
		return fmt.Sprintf("%d messages not reported, %d reported twice", c.Missing, c.Doubled)
	case c.Partial > 0 && !l.stuck:
		return fmt.Sprintf("%d partial, though everybody confirmed", c.Partial)
	case c.Miscounted > 0:
		return fmt.Sprintf("%d reports expect a wrong number of users", c.Miscounted)
	}
	return ""
}

// breaks says why the load does not hold with a p99 under limit, and is "" if it holds. Latency counts from the due time,
// so a generator that is late itself can make a server look worse but never better.
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
