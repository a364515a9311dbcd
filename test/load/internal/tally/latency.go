package tally

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Never is the longest latency recorded. A delivery that did not happen counts as Never, so that losing messages cannot
// improve the percentiles.
const Never = 60 * time.Second

// Latency is an HDR histogram of durations, exact to three digits from 1 µs to Never. It is not safe for concurrent use:
// each reader owns one, and in the end they are merged.
type Latency struct{ h *hdrhistogram.Histogram }

// NewLatency returns an empty histogram (about 190 KB).
func NewLatency() *Latency {
	return &Latency{h: hdrhistogram.New(1, Never.Microseconds(), 3)}
}

// Record counts d once. Values outside the range count as its nearest end.
func (l *Latency) Record(d time.Duration) { l.RecordN(d, 1) }

// RecordN counts d n times.
func (l *Latency) RecordN(d time.Duration, n uint64) {
	us := min(max(d.Microseconds(), 1), Never.Microseconds())
	// RecordValues fails only for a value outside the range, and this one is inside.
	_ = l.h.RecordValues(us, int64(n))
}

// Merge adds the values of o.
func (l *Latency) Merge(o *Latency) { l.h.Merge(o.h) }

// Percentiles are the usual points of a latency distribution, in milliseconds.
type Percentiles struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50Ms"`
	P90   float64 `json:"p90Ms"`
	P99   float64 `json:"p99Ms"`
	P999  float64 `json:"p999Ms"`
	Max   float64 `json:"maxMs"`
}

// Percentiles returns the distribution, all zero if nothing was recorded.
func (l *Latency) Percentiles() Percentiles {
	at := func(q float64) float64 { return float64(l.h.ValueAtQuantile(q)) / 1000 }
	return Percentiles{
		Count: uint64(l.h.TotalCount()),
		P50:   at(50), P90: at(90), P99: at(99), P999: at(99.9),
		Max: float64(l.h.Max()) / 1000,
	}
}
