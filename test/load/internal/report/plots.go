//go:build linux

package report

import (
	"fmt"
	"slices"

	"parley/test/load/internal/chart"
	"parley/test/load/internal/scenario"
)

// plot is a chart with the table of its figures.
type plot struct {
	file  string // without folder
	title string
	text  string
	x, y  chart.Axis
	lines []line
}

// line is one series of every peer.
type line struct {
	name   string // after the peer's
	dashed bool
	points []point
}

type point struct {
	x float64
	row
}

func (r *Report) plots() []plot {
	room := thousands(float64(r.RoomClients))
	return []plot{
		{
			file: "latency.svg", title: fmt.Sprintf("Latency over rate, room of %s", room),
			text: "From the moment a message was due to its arrival, over all receivers. A line ends with the first p99 of a second, or before the first rate that lost messages.",
			x:    chart.Axis{Label: "messages/s into the room", Log: true}, y: chart.Axis{Label: "latency, ms", Log: true},
			lines: []line{
				r.overRates("p50", true, func(l *scenario.Load) float64 { return l.Latency.P50 }),
				r.overRates("p99", false, func(l *scenario.Load) float64 { return l.Latency.P99 }),
			},
		},
		{
			file: "cpu.svg", title: "CPU per delivery over room size",
			text: fmt.Sprintf("Every room gets %s deliveries a second: the bigger it is, the fewer messages. In a small room the cost per message shows.",
				thousands(float64(r.RoomClients)*r.RoomRate)),
			x: chart.Axis{Label: "members", Log: true}, y: chart.Axis{Label: "server CPU per delivery, µs"},
			lines: []line{r.overSizes()},
		},
		{
			file: "memory.svg", title: "Resident memory over idle connections",
			text: "Authenticated, joined in conversations of ten, idle for longer than a ping interval, after a garbage collection.",
			x:    chart.Axis{Label: "connections"}, y: chart.Axis{Label: "resident, MiB"},
			lines: []line{r.overConnections()},
		},
	}
}

func (r *Report) overRates(name string, dashed bool, of func(*scenario.Load) float64) line {
	l := line{name: name, dashed: dashed}
	for _, rate := range r.Rates {
		l.points = append(l.points, point{x: rate, row: row{
			work: fmt.Sprintf("%s at %s messages/s, ms", name, thousands(rate)), format: "%.1f", of: latency(Rate, rate, of),
		}})
	}
	return l
}

func (r *Report) overSizes() (l line) {
	for _, size := range r.RoomSizes {
		l.points = append(l.points, point{x: float64(size), row: row{
			work: fmt.Sprintf("room of %s, µs", thousands(float64(size))), format: "%.2f", of: cpuOfSize(size),
		}})
	}
	return l
}

func (r *Report) overConnections() (l line) {
	for i, of := range []func(*scenario.Memory) float64{
		func(m *scenario.Memory) float64 { return float64(m.Start) / mib },
		func(m *scenario.Memory) float64 { return float64(m.Middle) / mib },
		func(m *scenario.Memory) float64 { return float64(m.End) / mib },
	} {
		x := float64(i * r.IdleClients)
		l.points = append(l.points, point{x: x, row: row{
			work: fmt.Sprintf("%s connections, MiB", thousands(x)), format: "%.1f", of: ofMemory(of),
		}})
	}
	return l
}

// inks give each server the same look in every comparison, whichever servers are left out.
var inks = []string{"parley", "node", "bun", "floor"}

// chart returns the plot's lines for all peers: medians, with the lowest and the highest value as spread.
func (r *Report) chart(p plot) chart.Chart {
	c := chart.Chart{Title: p.title, X: p.x, Y: p.y}
	for i, peer := range r.Peers {
		ink := slices.Index(inks, peer)
		if ink < 0 {
			ink = len(inks) + i
		}
		for _, l := range p.lines {
			s := chart.Series{Name: peer, Ink: ink, Dashed: l.dashed}
			if l.name != "" {
				s.Name += " " + l.name
			}
			for _, at := range l.points {
				if v := r.spread(at.of, peer); v.n > 0 {
					s.Points = append(s.Points, chart.Point{X: at.x, Y: v.median, Low: v.low, High: v.top})
				}
			}
			c.Series = append(c.Series, s)
		}
	}
	return c
}

func (p plot) rows() (rows []row) {
	for _, l := range p.lines {
		for _, at := range l.points {
			rows = append(rows, at.row)
		}
	}
	return rows
}
