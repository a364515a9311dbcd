//go:build linux

package swarm

import (
	"fmt"
	"sync/atomic"
	"time"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// How a send was answered.
const (
	unanswered byte = iota
	yes
	no
)

// run is what the loops must know of the sends under way. Nothing in it changes but the elements of answers, reports and
// heads, each of which only the loop of one client writes. answers and reports are read when the loops have stopped
// counting for the run.
type run struct {
	schedule pace.Schedule
	from, to time.Duration // the measured window of due times, on the swarm's clock
	firstAck int64         // ack id of send 0
	size     int           // of the shortest content, maxSize of the longest
	maxSize  int
	members  []uint64 // per room: receivers each accepted message must reach
	base     []uint64 // per room: last seq before the run
	senders  []*client
	answers  []byte

	confirm  bool
	expected []int  // per room: users a message is to be confirmed by; nil without confirm
	reports  []bool // nil without confirm

	churns bool // the clients of Config.Churn leave and join

	// heads are, per room, the highest seq that the room's sender got; nil without a drop.
	heads []atomic.Uint64
}

func (r *run) measures(due time.Duration) bool { return due >= r.from && due < r.to }

// counts reports whether the client must get every message of its room.
func (r *run) counts(c *client) bool { return !c.stalled && (!r.churns || !c.churns) }

// sizeOf returns the content size of send k in bytes. Multiplying by the golden ratio spreads consecutive sends evenly over
// the range.
func (r *run) sizeOf(k uint64) int {
	span := uint64(r.maxSize - r.size + 1)
	return r.size + int(uint64(uint32(k)*2654435769)*span>>32)
}

// counters only grow. Each loop has its own and publishes them in progress.
type counters struct {
	delivered uint64 // messages received for the first time, by all receivers
	arrived   uint64 // those of them that due counts
	due       uint64 // deliveries that accepted messages must cause
	answered  uint64 // sends acknowledged, either way
	joins     uint64 // joins answered, either way
	others    uint64 // other events received
	bytes     uint64 // of message events, without frames and packet types
	agreed    uint64 // sends accepted
	reports   uint64 // message_delivered, the first of each send
}

// loopTally is all that one loop counts: for the current run, or where noted, for the whole life of the swarm.
type loopTally struct {
	counters
	published counters

	run      *run
	sampled  uint64
	checked  uint64
	high     []uint64 // per room, whole life: highest seq seen or acknowledged
	accepted []uint64 // per room
	latency  *tally.Latency
	acks     *tally.Latency
	last     []time.Duration // per send: when its last receiver got it
	refused  map[string]int  // sends, by code
	errors   map[string]int  // error events, by code
	bad      int
	example  string // of the first bad packet

	typed      uint64
	confirming confirming
	churning   churning
	dropping   dropping

	dropped    map[string]int // whole life: connections ended by others, by reason
	joinErrors map[string]int // whole life
	idle       int            // whole life: idle conversations joined
}

func newLoopTally(rooms int) loopTally {
	t := loopTally{high: make([]uint64, rooms), dropped: map[string]int{}, joinErrors: map[string]int{}}
	t.start(nil)
	return t
}

// start forgets the last run and counts for r from now on.
func (t *loopTally) start(r *run) {
	t.run = r
	t.sampled, t.checked, t.bad, t.example = 0, 0, 0, ""
	t.accepted = make([]uint64, len(t.high))
	t.latency, t.acks = tally.NewLatency(), tally.NewLatency()
	t.refused, t.errors = map[string]int{}, map[string]int{}
	t.typed = 0
	t.confirming = confirming{latency: tally.NewLatency()}
	t.churning = churning{
		Churned:  Churned{Refused: map[string]int{}, Unsent: map[string]int{}},
		joinTook: tally.NewLatency(), leaveTook: tally.NewLatency(),
	}
	t.dropping = newDropping()
	t.last = nil
	if r != nil {
		t.last = make([]time.Duration, r.schedule.Count())
	}
}

// publish adds what is new in the counters to progress. due and agreed are added before answered: a reader that reads
// answered first, and finds all sends answered, then also finds all the deliveries they cause.
func (t *loopTally) publish(p *progress) {
	was := &t.published
	if *was == t.counters {
		return
	}
	p.delivered.Add(t.delivered - was.delivered)
	p.arrived.Add(t.arrived - was.arrived)
	p.due.Add(t.due - was.due)
	p.agreed.Add(t.agreed - was.agreed)
	p.answered.Add(t.answered - was.answered)
	p.joins.Add(t.joins - was.joins)
	p.others.Add(t.others - was.others)
	p.bytes.Add(t.bytes - was.bytes)
	p.reports.Add(t.reports - was.reports)
	*was = t.counters
}

// time records when a message of the run reached a receiver.
func (t *loopTally) time(r *run, s wire.Stamp, now time.Duration) {
	if r.measures(s.Due) {
		t.latency.Record(now - s.Due)
	}
	if s.Number < uint64(len(t.last)) {
		t.last[s.Number] = max(t.last[s.Number], now)
	}
}

// malformed counts a packet that breaks the contract, and keeps the first one as an example.
func (t *loopTally) malformed(why string, packet []byte) {
	if t.bad == 0 {
		t.example = fmt.Sprintf("%s: %.300q", why, packet)
	}
	t.bad++
}
