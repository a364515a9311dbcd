//go:build linux

package compare

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"parley/test/load/internal/scenario"
)

// Report is everything measured.
type Report struct {
	Config      Config   `json:"config"`
	Environment []string `json:"environment"`
	Samples     []Sample `json:"samples"`
	Faults      []string `json:"faults,omitempty"` // runs whose figures must not be trusted, and why
}

func (r *Report) add(s Sample) {
	r.Samples = append(r.Samples, s)
	fault := func(format string, args ...any) {
		where := fmt.Sprintf("%s, %s, round %d: ", s.Peer, s.Measurement, s.Round+1)
		r.Faults = append(r.Faults, where+fmt.Sprintf(format, args...))
	}
	for name, phase := range map[string]*scenario.Phase{"connected": s.Result.Connect, "joined": s.Result.Join} {
		if phase != nil && phase.Done < phase.Wanted {
			fault("only %d of %d clients %s: %v", phase.Done, phase.Wanted, name, phase.Errors)
		}
	}
	if s.Result.Load != nil && s.Result.Load.Fault() != "" {
		fault("%s", s.Result.Load.Fault())
	}
	m := s.Result.Memory
	if m != nil && m.GCForced != r.Config.ForceGC {
		fault("garbage was not collected before memory was read")
	}
	if m != nil && m.Dropped > 0 {
		fault("%d idle connections were dropped", m.Dropped)
	}
}

// figure is one row of the table: a number of a sample, if the sample has it.
type figure struct {
	label  func(Config) string
	format string
	of     func(Sample) (float64, bool)
}

func label(format string, args ...func(Config) any) func(Config) string {
	return func(c Config) string {
		var values []any
		for _, arg := range args {
			values = append(values, arg(c))
		}
		return fmt.Sprintf(format, values...)
	}
}

func roomClients(c Config) any { return c.RoomClients }
func roomRate(c Config) any    { return c.RoomRate }
func idleClients(c Config) any { return c.IdleClients }
func allIdle(c Config) any     { return 2 * c.IdleClients }

func ofRoom(f func(*scenario.Load) float64) func(Sample) (float64, bool) {
	return func(s Sample) (float64, bool) {
		if s.Measurement != "room" || s.Result.Load == nil {
			return 0, false
		}
		return f(s.Result.Load), true
	}
}

func ofMemory(f func(*scenario.Memory) float64) func(Sample) (float64, bool) {
	return func(s Sample) (float64, bool) {
		if s.Result.Memory == nil {
			return 0, false
		}
		return f(s.Result.Memory), true
	}
}

var figures = []figure{
	{
		label("CPU per delivery, µs (%d clients, %g messages/s)", roomClients, roomRate), "%.2f",
		ofRoom(func(l *scenario.Load) float64 { return l.ServerCPUMicros }),
	},
	{
		label("latency p99 at that load, ms"), "%.1f",
		ofRoom(func(l *scenario.Load) float64 { return l.Latency.P99 }),
	},
	{
		label("highest rate, messages/s (%d clients, p99 < 100 ms, nothing lost)", roomClients), "%.0f",
		func(s Sample) (float64, bool) {
			if s.Result.Knee == nil {
				return 0, false
			}
			return s.Result.Knee.Best, true
		},
	},
	{
		label("memory per idle connection, KiB (from 0 to %d joined clients)", allIdle), "%.1f",
		ofMemory(func(m *scenario.Memory) float64 { return m.Each / 1024 }),
	},
	{
		label("the same from %d to %d, KiB", idleClients, allIdle), "%.1f",
		ofMemory(func(m *scenario.Memory) float64 { return m.Marginal / 1024 }),
	},
	{
		label("CPU per connection set-up, µs (token verified)"), "%.0f",
		func(s Sample) (float64, bool) {
			if s.Measurement != "storm" || s.Result.Connect == nil {
				return 0, false
			}
			return s.Result.Connect.ServerCPUMicros, true
		},
	},
}

// spread is the middle and the ends of some values.
type spread struct {
	n                int
	low, median, top float64
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{median: math.NaN()}
	}
	v := slices.Sorted(slices.Values(values))
	mid := len(v) / 2
	s := spread{n: len(v), low: v[0], median: v[mid], top: v[len(v)-1]}
	if len(v)%2 == 0 {
		s.median = (v[mid-1] + v[mid]) / 2
	}
	return s
}

func (s spread) text(format string) string {
	switch s.n {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf(format, s.median)
	}
	return fmt.Sprintf(format+" ("+format+"–"+format+")", s.median, s.low, s.top)
}

func (r Report) spread(f figure, peer string) spread {
	var values []float64
	for _, s := range r.Samples {
		if s.Peer != peer {
			continue
		}
		if v, ok := f.of(s); ok {
			values = append(values, v)
		}
	}
	return spreadOf(values)
}

// WriteMarkdown writes the medians, with lowest and highest in parentheses, and the ratios of
// the first peer to each other one.
func (r Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	names := r.Config.Peers
	b.WriteString("| |")
	for _, name := range names {
		b.WriteString(" " + name + " |")
	}
	for _, other := range names[1:] {
		b.WriteString(" " + names[0] + "/" + other + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", 2*len(names)-1) + "\n")
	for _, f := range figures {
		b.WriteString("| " + f.label(r.Config) + " |")
		first := r.spread(f, names[0])
		for _, name := range names {
			b.WriteString(" " + r.spread(f, name).text(f.format) + " |")
		}
		for _, other := range names[1:] {
			b.WriteString(" " + ratio(first, r.spread(f, other)) + " |")
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	for _, line := range r.Environment {
		b.WriteString("- " + line + "\n")
	}
	for _, fault := range r.Faults {
		b.WriteString("- **fault**: " + fault + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func ratio(a, b spread) string {
	if a.n == 0 || b.n == 0 || b.median == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", a.median/b.median)
}
