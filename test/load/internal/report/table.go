//go:build linux

package report

import (
	"fmt"
	"io"
	"strings"

	"parley/test/load/internal/scenario"
)

// table writes rows as markdown: medians with lowest and highest, and the ratios of the first peer to each other one. With
// targets, it adds a column of them and one of verdicts.
func (r *Report) table(b *strings.Builder, rows []row, targets bool) {
	first, others := r.Peers[0], r.Peers[1:]
	head := []string{""}
	if targets {
		head = append(head, "to reach")
	}
	head = append(head, r.Peers...)
	for _, other := range others {
		head = append(head, first+"/"+other)
	}
	if targets {
		head = append(head, "verdict")
	}
	tableLine(b, head)
	b.WriteString("|---|" + strings.Repeat("---|", len(head)-1) + "\n")
	for _, w := range rows {
		cells := []string{w.work}
		if targets {
			cells = append(cells, w.target.text())
		}
		for _, peer := range r.Peers {
			cells = append(cells, r.spread(w.of, peer).text(w.format))
		}
		for _, other := range others {
			cells = append(cells, ratio(r.spread(w.of, first), r.spread(w.of, other)))
		}
		if targets {
			cells = append(cells, r.verdict(w))
		}
		tableLine(b, cells)
	}
}

func tableLine(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// goalsTable writes the table of the figures to reach, with its notes.
func (r *Report) goalsTable(b *strings.Builder) {
	goals := r.goals()
	r.table(b, goals, true)
	b.WriteByte('\n')
	for _, w := range goals {
		// A row that was not measured needs no explanation.
		if w.note != "" && (w.of == nil || r.spread(w.of, r.Peers[0]).n > 0) {
			b.WriteString("- " + w.note + "\n")
		}
	}
}

// stops writes a table of the searches for the highest rate, with what ended each.
func (r *Report) stops(b *strings.Builder) {
	tableLine(b, []string{"server", "round", "held, messages/s", "deliveries/s", "CPU then: server + generator", "broke at", "why"})
	b.WriteString("|---|---|---|---|---|---|---|\n")
	for _, peer := range r.Peers {
		for _, s := range r.Samples {
			if s.Peer == peer && s.Measurement == Knee && s.Result.Knee != nil {
				tableLine(b, append([]string{peer, fmt.Sprint(s.Round + 1)}, r.stop(peer, s.Result.Knee)...))
			}
		}
	}
}

func (r *Report) stop(peer string, k *scenario.Knee) []string {
	rate, why := nothing, "the search goes no higher"
	lowest := 0.0
	for _, t := range k.Trials {
		if !t.Held && t.Rate > k.Best && (lowest == 0 || t.Rate <= lowest) {
			lowest, rate, why = t.Rate, thousands(t.Rate), t.Why
		}
	}
	at := k.At
	if at == nil {
		return []string{thousands(k.Best), nothing, nothing, rate, why}
	}
	return []string{
		thousands(k.Best), thousands(float64(int(at.PerSecond))),
		fmt.Sprintf("%.2f + %.2f of %d cores%s", at.ServerCores, at.OwnCores, r.Cores, full(peer, at, r.Cores)), rate, why,
	}
}

// nearly is the share of one core, or of all, from which on it is called full.
const nearly = 0.9

// full says whether the processor set the limit, "" if not. A server with a single thread is at its limit with one full
// core, even if others are free.
func full(peer string, at *scenario.Load, cores int) string {
	switch {
	case at.ServerCores+at.OwnCores >= nearly*float64(cores):
		return ": all full"
	case at.ServerCores >= nearly && (peer == "node" || peer == "bun"):
		return ": the server's one full"
	}
	return ""
}

// WriteMarkdown writes the table of figures, what stopped the searches, and what the figures were measured on.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	r.goalsTable(&b)
	b.WriteByte('\n')
	if r.has(Knee) {
		r.stops(&b)
		b.WriteByte('\n')
	}
	r.circumstances(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) circumstances(b *strings.Builder) {
	if r.Title != "" {
		b.WriteString("- " + r.Title + "\n")
	}
	for _, line := range r.Environment {
		b.WriteString("- " + line + "\n")
	}
	for _, fault := range r.Faults {
		b.WriteString("- **fault**: " + strings.ReplaceAll(fault, "\n", " ") + "\n")
	}
}

func (r *Report) has(measurement string) bool {
	for _, s := range r.Samples {
		if s.Measurement == measurement {
			return true
		}
	}
	return false
}
