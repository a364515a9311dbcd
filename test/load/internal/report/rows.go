//go:build linux

package report

import (
	"fmt"

	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
)

const kib, mib = 1 << 10, 1 << 20

// figure reads one number from a round; false if the round does not have it.
type figure func(round) (float64, bool)

// row is one line of a table.
type row struct {
	work   string // what was measured, with its unit
	format string // of the figure, for fmt
	of     figure
	target target
	note   string // printed below the table: how to read the figure, or why it is missing
}

// target is what the first peer has to reach. The zero value is no target.
type target struct {
	against string  // the limit is for the ratio to this peer's figure; "": for the figure itself
	atLeast bool    // the limit is a lower one
	limit   float64 // over 0
	unit    string
	always  bool // the worst round counts, not the median; only for figures that are not ratios to a peer's
}

func (t target) text() string {
	sign := "≤ "
	if t.atLeast {
		sign = "≥ "
	}
	switch {
	case t.limit == 0:
		return ""
	case t.against != "":
		return fmt.Sprintf("%s%g × %s", sign, t.limit, t.against)
	}
	return fmt.Sprintf("%s%g%s", sign, t.limit, t.unit)
}

// Verdicts on a target.
const (
	reached     = "reached"
	notReached  = "**not reached**"
	notMeasured = "not measured"
)

func (r *Report) verdict(w row) string {
	first := r.spread(w.of, r.Peers[0])
	value, ok := first.median, first.n > 0
	if w.target.always {
		value = first.top
		if w.target.atLeast {
			value = first.low
		}
	}
	if w.target.against != "" {
		value, ok = first.over(r.spread(w.of, w.target.against))
	}
	switch {
	case !ok:
		return notMeasured
	case w.target.atLeast && value >= w.target.limit, !w.target.atLeast && value <= w.target.limit:
		return reached
	}
	return notReached
}

func atMost(limit float64, against string) target { return target{against: against, limit: limit} }

func atLeast(limit float64, against string) target {
	return target{against: against, limit: limit, atLeast: true}
}

func atMostOf(limit float64, unit string) target { return target{limit: limit, unit: unit} }

// goals are the figures to reach, in the order they are published in.
func (r *Report) goals() []row {
	s := r.Sizes
	all := float64(2 * s.IdleClients)
	small, big := s.RoomSizes[0], s.RoomSizes[len(s.RoomSizes)-1]
	if len(s.RoomSizes) > 2 && small < 100 {
		small = s.RoomSizes[1] // in rooms under a hundred, the cost per message outweighs that per delivery
	}
	return []row{
		{
			work:   fmt.Sprintf("CPU per delivery, µs (one room of %s, %s messages/s)", thousands(float64(s.RoomClients)), thousands(s.RoomRate)),
			format: "%.2f", of: cpuOfSize(s.RoomClients), target: atMost(1.15, "floor"),
		},
		{
			work:   fmt.Sprintf("highest rate, messages/s (room of %s, nothing lost, p99 < 100 ms)", thousands(float64(s.RoomClients))),
			format: "%.0f", of: highestRate, target: atLeast(15, "node"),
		},
		{
			work:   fmt.Sprintf("memory per idle connection, KiB (joined; from 0 to %s)", thousands(all)),
			format: "%.1f", of: ofMemory(func(m *scenario.Memory) float64 { return m.Each / kib }), target: atMostOf(6, " KiB"),
		},
		{work: "CPU per connection set up, µs (token verified)", format: "%.0f", of: cpuPerConnection, target: atMost(0.1, "node")},
		growth(small, big),
		{
			work: fmt.Sprintf("memory of 100 active rooms, MB (%d messages in each)", s.RoomSpoken), format: "%.2f", of: memoryOfRooms(s.FewRooms, s.ManyRooms), target: atMostOf(1, " MB"),
			note: roomsNote(s),
		},
		{
			work: "p99 of the others with one member in a hundred stuck, over p99 without", format: "%.2f",
			of:     both(p99Of(Stuck, 0), p99Of(Steady, 0), func(a, b float64) float64 { return a / b }),
			target: atMostOf(1.1, ""), note: "Stuck members: with and without in the same round, one right after the other, with messages so big that kernel and outbox fill.",
		},
		{
			work:   thousands(float64(s.DropClients)) + " connections dropped at once, all back and recovered: share with nothing lost or doubled",
			format: "%.4f", of: recovery(s.DropClients, func(v *swarm.Recovered) float64 { return v.Share }),
			target: target{limit: 1, atLeast: true, unit: " (all), in every round", always: true}, note: r.dropNote(),
		},
	}
}

func roomsNote(s Sizes) string {
	return fmt.Sprintf("Rooms: resident memory with the same connections in %s rooms less that in %s, for 100 rooms. %d messages have been sent in each, by its members in turn, "+
		"so that every connection has received as many in both. The rooms' logs are not subtracted: the messages in them are part of the figure.",
		thousands(float64(s.ManyRooms)), thousands(float64(s.FewRooms)), s.RoomSpoken)
}

// recovery reads a number from the outcome of a drop, if the drop took place.
func recovery(clients int, of func(*swarm.Recovered) float64) figure {
	return func(u round) (float64, bool) {
		l := u.load(Drop, float64(clients))
		if l == nil || l.Recovery == nil || l.Recovery.Dropped == 0 {
			return 0, false
		}
		return of(l.Recovery), true
	}
}

// dropNote says of all peers that took part what the share does not.
func (r *Report) dropNote() string {
	note := "Dropped connections: reset while messages are sent in all conversations, and set up again as fast as the server takes them, 64 at a time; the rivals with connection state recovery on. The worst round decides."
	for _, peer := range r.Peers {
		of := func(f func(*swarm.Recovered) float64) spread { return r.spread(recovery(r.DropClients, f), peer) }
		back := of(func(v *swarm.Recovered) float64 { return v.LastBack / 1000 })
		if back.n == 0 {
			continue
		}
		note += fmt.Sprintf(" %s: %s recovered, the last one back after %s s, CPU per reconnection %s µs, resident memory %s MB before, %s at most, %s after.", peer,
			of(func(v *swarm.Recovered) float64 { return float64(v.Recovered) }).text("%.0f"), back.text("%.1f"),
			of(func(v *swarm.Recovered) float64 { return v.ServerCPUMicros }).text("%.0f"),
			of(func(v *swarm.Recovered) float64 { return float64(v.RSSBefore) / 1e6 }).text("%.0f"),
			of(func(v *swarm.Recovered) float64 { return float64(v.RSSPeak) / 1e6 }).text("%.0f"),
			of(func(v *swarm.Recovered) float64 { return float64(v.RSSAfter) / 1e6 }).text("%.0f"))
	}
	return note
}

// growth compares two sizes of room. With a single size it has no figure: that would always be 1.
func growth(small, big int) row {
	w := row{
		work:   fmt.Sprintf("CPU per delivery in a room of %s over that in one of %s", thousands(float64(big)), thousands(float64(small))),
		format: "%.2f", target: atMostOf(1.25, ""),
	}
	if small == big {
		return w
	}
	w.of = both(cpuOfSize(big), cpuOfSize(small), func(a, b float64) float64 { return a / b })
	w.note = "Growth: both rooms get the same number of deliveries a second."
	return w
}

// both combines two figures of one round.
func both(a, b figure, f func(a, b float64) float64) figure {
	return func(u round) (float64, bool) {
		x, okX := a(u)
		y, okY := b(u)
		if !okX || !okY || y == 0 {
			return 0, false
		}
		return f(x, y), true
	}
}

func cpuOfSize(members int) figure {
	return func(u round) (float64, bool) {
		l := u.load(Size, float64(members))
		if l == nil || l.ServerCPUMicros == 0 {
			return 0, false
		}
		return l.ServerCPUMicros, true
	}
}

func p99Of(measurement string, at float64) figure {
	return latency(measurement, at, func(l *scenario.Load) float64 { return l.Latency.P99 })
}

// latency reads a latency from loads that lost nothing: a lost delivery has no latency.
func latency(measurement string, at float64, of func(*scenario.Load) float64) figure {
	return func(u round) (float64, bool) {
		l := u.load(measurement, at)
		if l == nil || l.Deliveries.Lost > 0 || l.Latency.Count == 0 {
			return 0, false
		}
		return of(l), true
	}
}

func highestRate(u round) (float64, bool) {
	r := u.result(Knee, 0)
	if r == nil || r.Knee == nil {
		return 0, false
	}
	return r.Knee.Best, true
}

func cpuPerConnection(u round) (float64, bool) {
	r := u.result(Storm, 0)
	if r == nil || r.Connect == nil {
		return 0, false
	}
	return r.Connect.ServerCPUMicros, true
}

func ofMemory(of func(*scenario.Memory) float64) figure {
	return func(u round) (float64, bool) {
		m := u.memory(Idle, 0)
		if m == nil {
			return 0, false
		}
		return of(m), true
	}
}

// memoryOfRooms is the memory of 100 rooms in MB (a million bytes). It can be negative, when rooms take less than two
// processes differ by anyway.
func memoryOfRooms(few, many int) figure {
	return func(u round) (float64, bool) {
		a, b := u.memory(Rooms, float64(few)), u.memory(Rooms, float64(many))
		if a == nil || b == nil || few == many {
			return 0, false
		}
		return float64(b.End-a.End) / float64(many-few) * 100 / 1e6, true
	}
}
