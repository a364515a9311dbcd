//go:build linux

package swarm

import (
	"time"

	"parley/test/load/internal/tally"
)

// settle ends the counting of a run and adds up what the loops hold.
func (s *Swarm) settle(r *run, sent *sending, typing *typing, churn *churn, drop *drop) Outcome {
	out := Outcome{Intended: sent.due, Unsent: sent.failed, Late: sent.late.Percentiles()}
	out.Unanswered = sent.sent
	out.Refused, out.Errors, out.Dropped = map[string]int{}, map[string]int{}, map[string]int{}
	latency, acks := tally.NewLatency(), tally.NewLatency()
	last := make([]time.Duration, r.schedule.Count())
	high := make([]uint64, len(s.rooms))
	accepted := make([]uint64, len(s.rooms))
	var confirmed []confirming
	var churned []churning
	var dropped []dropping
	typed := uint64(0)
	s.each(func(l *loop) {
		t := l.tally
		l.tally.start(nil) // what comes later must not change what is read here
		latency.Merge(t.latency)
		acks.Merge(t.acks)
		for k, at := range t.last {
			last[k] = max(last[k], at)
		}
		for room := range high {
			high[room] = max(high[room], t.high[room])
			accepted[room] += t.accepted[room]
		}
		add(out.Refused, t.refused)
		add(out.Errors, t.errors)
		add(out.Dropped, t.dropped)
		out.Checked += t.checked
		typed += t.typed
		confirmed = append(confirmed, t.confirming)
		churned = append(churned, t.churning)
		dropped = append(dropped, t.dropping)
		if out.Malformed == 0 {
			out.Example = t.example
		}
		out.Malformed += t.bad
	})
	out.Deliveries = s.deliveries(r, high)
	if churn != nil {
		out.Churned = churn.settle(churned)
		latency.RecordN(tally.Never, out.Churned.Deliveries.Lost)
	}
	if drop != nil {
		out.Recovered = drop.settle(dropped, high)
	}
	latency.RecordN(tally.Never, out.Deliveries.Lost)
	out.Latency, out.Acks = latency.Percentiles(), acks.Percentiles()
	out.LastOne = lastOnes(r, last).Percentiles()
	out.countAnswers(r, accepted, high)
	out.Ended = s.ended()
	if typing != nil {
		out.Typed = &typing.out
		out.Typed.Heard = typed
	}
	if r.confirm {
		out.Confirmed = &Confirmed{}
		out.Confirmed.settle(confirmed, out.Accepted)
	}
	return out
}

// deliveries adds up the accounts of all clients that must get every message; high are the rooms' last numbers.
func (s *Swarm) deliveries(r *run, high []uint64) (sum tally.Deliveries) {
	s.each(func(l *loop) {
		for _, c := range s.clients {
			if c.loop == l && r.counts(c) {
				sum = sum.Add(c.seen.Until(high[c.room]))
			}
		}
	})
	return sum
}

// lastOnes returns the distribution of the time until each message's last receiver had it.
func lastOnes(r *run, last []time.Duration) *tally.Latency {
	h := tally.NewLatency()
	for k, at := range last {
		if due := r.schedule.Due(k); at > 0 && r.measures(due) {
			h.Record(at - due)
		}
	}
	return h
}

// countAnswers sets Unanswered, which holds the number of sends before, Accepted and SeqGaps.
func (o *Outcome) countAnswers(r *run, accepted, high []uint64) {
	for _, a := range r.answers {
		if a != unanswered {
			o.Unanswered--
		}
	}
	var numbers uint64
	for room := range high {
		numbers += high[room] - r.base[room]
		o.Accepted += int(accepted[room])
	}
	if o.Unanswered == 0 && numbers > uint64(o.Accepted) {
		o.SeqGaps = numbers - uint64(o.Accepted)
	}
}

func add(to, from map[string]int) {
	for k, n := range from {
		to[k] += n
	}
}
