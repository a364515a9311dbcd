//go:build linux

package report

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parley/test/load/internal/scenario"
)

// Sweeps says how the cost per unit of work grows with what the server has to hold.
type Sweeps struct {
	Title       string           `json:"title"` // one line: when, and at which commit
	Environment []string         `json:"environment"`
	Swept       []scenario.Swept `json:"sweeps"`
}

const sweepsIntro = `<!-- Written by make bench-sweeps; changes by hand are lost with the next run. -->
# Cost as it grows

What one unit of work costs while one thing grows and the rest stays: each table is one process,
which goes through its values from left to right and keeps what it has. In parentheses is the growth
since the value before. ` + "[test/load](../test/load/README.md)" + ` says what each sweep varies. CPU is the server's,
in microseconds; memory is the growth of its resident size since the value began, in bytes, so what a process allocates
once weighs on the first values. Costs of too little work to be measured are left out.
`

// sweepTitles are the headings, by what is varied.
var sweepTitles = map[string]string{
	scenario.RoomSize:      "Members of one room",
	scenario.RoomCount:     "Rooms",
	scenario.Connections:   "Idle connections",
	scenario.HistoryLength: "Messages in the log",
	scenario.Conversations: "Conversations of each user",
}

// WriteMarkdown writes the page.
func (s Sweeps) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString(sweepsIntro)
	for _, swept := range s.Swept {
		fmt.Fprintf(&b, "\n## %s\n\n", sweepTitles[swept.By])
		sweepTable(&b, swept)
		b.WriteByte('\n')
		for _, jump := range swept.Jumps {
			fmt.Fprintf(&b, "- **jump**: %s\n", jump)
		}
		if len(swept.Jumps) == 0 {
			b.WriteString("- no cost grew by half or more from one value to the next\n")
		}
		for _, p := range swept.Points {
			if p.Fault != "" {
				fmt.Fprintf(&b, "- **fault** at %s: %s\n", thousands(float64(p.Value)), p.Fault)
			}
		}
	}
	b.WriteString("\n## Measured on\n\n- " + s.Title + "\n")
	for _, line := range s.Environment {
		b.WriteString("- " + line + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sweepTable writes a table with a line for each cost and a column for each value.
func sweepTable(b *strings.Builder, swept scenario.Swept) {
	head, names := []string{swept.By}, map[string]bool{}
	for _, p := range swept.Points {
		head = append(head, thousands(float64(p.Value)))
		for name := range p.Costs {
			names[name] = true
		}
	}
	tableLine(b, head)
	b.WriteString("|---|" + strings.Repeat("---|", len(swept.Points)) + "\n")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		cells := []string{name}
		for _, p := range swept.Points {
			cell := nothing
			if cost, measured := p.Costs[name]; measured {
				cell = thousands(cost)
			}
			if growth, known := p.Growth[name]; known {
				cell += fmt.Sprintf(" (×%.2f)", growth)
			}
			cells = append(cells, cell)
		}
		tableLine(b, cells)
	}
}

// Publish writes benchmarks-sweeps.md into dir.
func (s Sweeps) Publish(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var page strings.Builder
	if err := s.WriteMarkdown(&page); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "benchmarks-sweeps.md"), []byte(page.String()), 0o644); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
