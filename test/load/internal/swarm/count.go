//go:build linux

package swarm

import (
	"fmt"
	"time"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// What is known of a send.
const (
	unanswered byte = iota
	yes
	no
)

// run is what the loops must know of the sends under way. All but answers is fixed; an element
// of answers is written by the loop of its sender alone, and read when the loops have stopped
// counting for the run.
type run struct {
	schedule pace.Schedule
	from, to time.Duration // the measured window of due times, on the swarm's clock
	firstAck int64         // ack id of send 0
	size     int
	members  []uint64 // per room: receivers each accepted message must reach
	base     []uint64 // per room: last seq before the run
	answers  []byte
}

func (r *run) measures(due time.Duration) bool { return due >= r.from && due < r.to }

// loopTally is what one loop counts. delivered, due, answered and joins never go back: they are
// published. The rest is of the current run, or for the whole life of the swarm where noted.
type loopTally struct {
	run *run

	delivered, due, answered, joins uint64
	published                       struct{ delivered, due, answered, joins uint64 }

	sampled  uint64
	checked  uint64
	others   uint64
	high     []uint64 // per room, whole life: highest seq seen or acknowledged
	accepted []uint64 // per room
	latency  *tally.Latency
	acks     *tally.Latency
	last     []time.Duration // per send: when its last receiver got it
	refused  map[string]int  // sends, by code
	errors   map[string]int  // error events, by code
	bad      int
	example  string // of the first bad packet

	dropped    map[string]int // whole life: connections ended by others, by reason
	joinErrors map[string]int // whole life
}

func newLoopTally(rooms int) loopTally {
	t := loopTally{high: make([]uint64, rooms), dropped: map[string]int{}, joinErrors: map[string]int{}}
	t.start(nil)
	return t
}

// start forgets the last run and counts for r from now on.
func (t *loopTally) start(r *run) {
	t.run = r
	t.sampled, t.checked, t.others, t.bad, t.example = 0, 0, 0, 0, ""
	t.accepted = make([]uint64, len(t.high))
	t.latency, t.acks = tally.NewLatency(), tally.NewLatency()
	t.refused, t.errors = map[string]int{}, map[string]int{}
	t.last = nil
	if r != nil {
		t.last = make([]time.Duration, r.schedule.Count())
	}
}

// publish shows the counters to those who wait. due goes before answered: who reads them the
// other way round and finds all sends answered also finds all their deliveries due.
func (t *loopTally) publish(p *progress) {
	was := &t.published
	if was.delivered == t.delivered && was.answered == t.answered && was.joins == t.joins {
		return
	}
	p.delivered.Add(t.delivered - was.delivered)
	p.due.Add(t.due - was.due)
	p.answered.Add(t.answered - was.answered)
	p.joins.Add(t.joins - was.joins)
	was.delivered, was.due, was.answered, was.joins = t.delivered, t.due, t.answered, t.joins
}

// arrived records when a message of the run reached a receiver.
func (t *loopTally) arrived(r *run, s wire.Stamp, now time.Duration) {
	if r.measures(s.Due) {
		t.latency.Record(now - s.Due)
	}
	if s.Number < uint64(len(t.last)) {
		t.last[s.Number] = max(t.last[s.Number], now)
	}
}

// malformed counts a packet that breaks the contract and keeps the first as an example.
func (t *loopTally) malformed(why string, packet []byte) {
	if t.bad == 0 {
		t.example = fmt.Sprintf("%s: %.300q", why, packet)
	}
	t.bad++
}
