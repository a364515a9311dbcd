package tally

// maxGaps bounds the gaps that a receiver remembers. Beyond it the oldest is forgotten: its numbers still count as lost,
// but one that arrives after all counts as doubled.
const maxGaps = 64

// gap is a range of sequence numbers, both ends included, that have not arrived yet.
type gap struct{ from, to uint64 }

// Receiver follows one receiver's sequence numbers in one conversation. By the contract these are 1, 2, 3… without a hole.
// The zero value expects 1 first. It is not safe for concurrent use.
type Receiver struct {
	base, last uint64
	got        uint64
	doubled    uint64
	reordered  uint64
	gaps       []gap
}

// Start forgets everything and expects base+1 next.
func (r *Receiver) Start(base uint64) {
	*r = Receiver{base: base, last: base, gaps: r.gaps[:0]}
}

// See counts the arrival of seq and reports whether it is its first. A number that fills an earlier gap counts as
// reordered; an older one that fills none counts as doubled.
func (r *Receiver) See(seq uint64) bool {
	if seq == r.last+1 {
		r.last = seq
		r.got++
		return true
	}
	if seq > r.last {
		if len(r.gaps) == maxGaps {
			r.gaps = append(r.gaps[:0], r.gaps[1:]...)
		}
		r.gaps = append(r.gaps, gap{from: r.last + 1, to: seq - 1})
		r.last = seq
		r.got++
		return true
	}
	if !r.fill(seq) {
		r.doubled++
		return false
	}
	r.got++
	r.reordered++
	return true
}

// Seen reports whether seq has arrived, as far as gaps are remembered, or came before the base.
func (r *Receiver) Seen(seq uint64) bool {
	if seq > r.last {
		return false
	}
	for _, g := range r.gaps {
		if seq >= g.from && seq <= g.to {
			return false
		}
	}
	return true
}

// fill takes seq out of the gap that holds it, and reports whether there is one.
func (r *Receiver) fill(seq uint64) bool {
	for i, g := range r.gaps {
		if seq < g.from || seq > g.to {
			continue
		}
		switch {
		case g.from == g.to:
			r.gaps = append(r.gaps[:i], r.gaps[i+1:]...)
		case seq == g.from:
			r.gaps[i].from++
		case seq == g.to:
			r.gaps[i].to--
		default:
			r.gaps[i].to = seq - 1
			if len(r.gaps) < maxGaps {
				r.gaps = append(r.gaps, gap{from: seq + 1, to: g.to})
			}
		}
		return true
	}
	return false
}

// Last returns the highest number seen, or the base.
func (r *Receiver) Last() uint64 { return r.last }

// Deliveries are counts over receivers: one message to one receiver is one delivery.
type Deliveries struct {
	Expected  uint64 `json:"expected"`
	Received  uint64 `json:"received"` // not counting the doubled
	Lost      uint64 `json:"lost"`
	Doubled   uint64 `json:"doubled"`
	Reordered uint64 `json:"reordered"`
}

// Until returns the account of a receiver in a conversation whose last accepted number is high.
func (r *Receiver) Until(high uint64) Deliveries {
	d := Deliveries{Received: r.got, Doubled: r.doubled, Reordered: r.reordered}
	if high > r.base {
		d.Expected = high - r.base
	}
	if d.Expected > d.Received {
		d.Lost = d.Expected - d.Received
	}
	return d
}

// Add returns the sum of two accounts.
func (d Deliveries) Add(o Deliveries) Deliveries {
	return Deliveries{
		Expected:  d.Expected + o.Expected,
		Received:  d.Received + o.Received,
		Lost:      d.Lost + o.Lost,
		Doubled:   d.Doubled + o.Doubled,
		Reordered: d.Reordered + o.Reordered,
	}
}

// Clean reports whether everything expected arrived, once and in order.
func (d Deliveries) Clean() bool {
	return d.Lost == 0 && d.Doubled == 0 && d.Reordered == 0
}
