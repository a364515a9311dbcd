//go:build linux

package swarm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// lead is the time between the start of a run and its first send.
const lead = 20 * time.Millisecond

// Plan is one run of sends.
type Plan struct {
	Rate     float64       // messages per second over all senders
	Warmup   time.Duration // sent and accounted for, but not measured
	Duration time.Duration // measured
	Size     int           // bytes of content, at least wire.MinContent
	MaxSize  int           // if over Size, contents have sizes spread evenly from Size to this
	Senders  int           // the first so many joined clients send in turn; they cover the rooms evenly
	Drain    time.Duration // longest wait after the last send until all has arrived
	Quiet    time.Duration // shorter end of that wait: nothing arrived for so long
	Confirm  bool          // messages ask to be confirmed
	Typing   Typing        // typing events besides the messages
	// ChurnRate is how many joins and leaves per second the clients of Config.Churn make, 0 for none.
	ChurnRate float64
	Drop      Drop         // connections lost in the middle of the run
	Meter     func() Meter // read at both ends of the measured window; may be nil
}

// Meter is what the caller reads at the ends of the window; zero what it cannot read.
type Meter struct {
	ServerCPU, OwnCPU time.Duration
	ServerRSS         int64 // bytes
	ServerPeak        int64 // highest RSS so far, bytes
}

// Mark is one end of the measured window.
type Mark struct {
	At        time.Duration // on the swarm's clock
	Delivered uint64
	Others    uint64 // events received other than messages
	Bytes     uint64 // of message events
	Meter
}

// Outcome is the result of a run. Counts cover the warm-up and the window, latencies the window alone.
type Outcome struct {
	From, To   Mark
	Intended   int
	Unsent     map[string]int // sends that could not be written, by reason
	Accepted   int
	Refused    map[string]int // by code
	Unanswered int
	SeqGaps    uint64 // numbers the server skipped: highest seq less accepted sends, if all were answered
	Deliveries tally.Deliveries
	Latency    tally.Percentiles // receive time less due time; a lost delivery counts as tally.Never
	LastOne    tally.Percentiles // the same per message, for its last receiver
	Acks       tally.Percentiles // acknowledgement time less due time
	Late       tally.Percentiles // by how much the generator itself sent late
	Errors     map[string]int    // error events received, by code
	Checked    uint64            // messages decoded in full
	Malformed  int               // packets that break the contract
	Example    string            // the first of them
	Dropped    map[string]int    // connections the server ended, since the swarm began
	Ended      int               // stalled connections the server has given up
	Typed      *Typed            // nil without typing
	Confirmed  *Confirmed        // nil without confirm
	Churned    *Churned          // nil without churn
	Recovered  *Recovered        // nil without a drop
}

var errNoSender = errors.New("swarm: no client has joined, so none can send")

// Run sends on an open schedule and accounts for every delivery. It returns when everything has arrived, or when Drain or
// Quiet is over; what is missing then is in the Outcome. It fails if the plan cannot be run, if no client can send, or if
// ctx ends.
func (s *Swarm) Run(ctx context.Context, p Plan) (Outcome, error) {
	if p.Size < wire.MinContent || p.Rate <= 0 || p.Duration <= 0 {
		return Outcome{}, errors.New("swarm: a run needs a rate, a duration and room for the stamp in the content")
	}
	able := s.senders(len(s.clients))
	senders := able[:min(p.Senders, len(able))]
	if len(senders) == 0 {
		return Outcome{}, errNoSender
	}
	r := s.begin(p, senders)
	was := s.snapshot()
	sending, typing, churn, drop := newSending(s, r, senders), newTyping(s, r, p, able), newChurn(s, r, p), newDrop(s, r, p)
	var work sync.WaitGroup
	sendCtx, enough := context.WithCancel(ctx)
	defer enough()
	work.Go(func() { sending.run(sendCtx) })
	if typing != nil {
		work.Go(func() { typing.run(ctx) })
	}
	if churn != nil {
		work.Go(func() { churn.run(ctx) })
	}
	if drop != nil {
		work.Go(func() {
			defer enough()
			drop.run(ctx)
		})
	}
	from, until := s.mark(ctx, r.from, p.Meter), r.to
	if drop != nil { // the drop decides when the run is over
		work.Wait()
		until = s.now()
	}
	to := s.mark(ctx, until, p.Meter)
	work.Wait()
	var err error
	if churn != nil {
		err = churn.retire(ctx, p.Quiet)
	}
	if err == nil {
		err = s.drain(ctx, p, was, sending.sent)
	}
	if err == nil {
		err = ctx.Err() // it may have ended before everything was sent, and what was sent may all have arrived
	}
	out := s.settle(r, sending, typing, churn, drop)
	out.From, out.To = from, to
	return out, err
}

// senders returns the first n clients that have joined and that neither stall, churn nor drop.
func (s *Swarm) senders(n int) (senders []*client) {
	s.each(func(l *loop) {
		for _, c := range s.clients {
			if c.loop == l && c.joined && !c.stalls && !c.churns && !c.drops {
				senders = append(senders, c)
			}
		}
	})
	sortByID(senders)
	return senders[:min(n, len(senders))]
}

// begin fixes the schedule and makes the loops count for it.
func (s *Swarm) begin(p Plan, senders []*client) *run {
	r := &run{
		size:     p.Size,
		maxSize:  max(p.MaxSize, p.Size),
		schedule: pace.NewSchedule(s.now()+lead, p.Rate, p.Warmup+p.Duration),
		firstAck: s.nextAck,
		members:  make([]uint64, len(s.rooms)),
		base:     make([]uint64, len(s.rooms)),
		senders:  senders,
		confirm:  p.Confirm,
		churns:   p.ChurnRate > 0 && s.cfg.Churn > 0,
	}
	r.from = r.schedule.Due(0) + p.Warmup
	r.to = r.from + p.Duration
	r.answers = make([]byte, r.schedule.Count())
	s.nextAck += int64(r.schedule.Count())
	if r.confirm {
		r.reports, r.expected = make([]bool, r.schedule.Count()), s.othersOf()
	}
	if p.Drop.Limit > 0 {
		r.heads = make([]atomic.Uint64, len(s.rooms))
	}
	for _, c := range s.clients {
		if r.counts(c) {
			r.members[c.room]++
		}
	}
	s.each(func(l *loop) {
		for room, high := range l.tally.high {
			r.base[room] = max(r.base[room], high)
		}
	})
	s.each(func(l *loop) {
		for _, c := range s.clients {
			if c.loop == l {
				c.seen.Start(r.base[c.room])
			}
		}
		l.tally.start(r)
	})
	return r
}

// mark waits for a time on the swarm's clock and reads the counters.
func (s *Swarm) mark(ctx context.Context, at time.Duration, meter func() Meter) Mark {
	if pause(ctx, at-s.now()) != nil {
		return Mark{At: s.now()}
	}
	m := Mark{
		At: s.now(), Delivered: s.progress.delivered.Load(),
		Others: s.progress.others.Load(), Bytes: s.progress.bytes.Load(),
	}
	if meter != nil {
		m.Meter = meter()
	}
	return m
}

// snapshot holds the counters that drain compares with their values before the run.
type snapshot struct{ answered, agreed, reports uint64 }

func (s *Swarm) snapshot() snapshot {
	return snapshot{s.progress.answered.Load(), s.progress.agreed.Load(), s.progress.reports.Load()}
}

// drain waits until every send is answered, every due delivery has arrived and, with Confirm, every accepted message is
// reported. It gives up without an error after Drain or Quiet.
func (s *Swarm) drain(ctx context.Context, p Plan, was snapshot, sent int) error {
	began, quiet := s.now(), s.now()
	before := s.progress.arrived.Load() + was.reports
	for {
		now := s.snapshot()
		due, arrived := s.progress.due.Load(), s.progress.arrived.Load()
		answered := now.answered-was.answered >= uint64(sent)
		reported := !p.Confirm || now.reports-was.reports >= now.agreed-was.agreed
		if answered && arrived >= due && reported {
			return nil
		}
		if arrived+now.reports != before {
			before, quiet = arrived+now.reports, s.now()
		}
		if s.now()-began > p.Drain || s.now()-quiet > p.Quiet {
			return nil
		}
		if err := pause(ctx, poll); err != nil {
			return err
		}
	}
}
