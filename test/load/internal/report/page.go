//go:build linux

package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const folder = "benchmarks" // beside the page; holds its charts and the samples

const intro = `<!-- Written by make bench; changes by hand are lost with the next run. -->
# Benchmarks

What it costs to serve chat over Socket.IO, measured on one machine with one load generator
against all servers in turn. ` + "`make bench`" + ` repeats it and rewrites this page; every run is in
[results.json](benchmarks/results.json), and [test/load](../test/load/README.md) says how each
figure is measured and what it leaves out. The ratios are what carries over to other machines.

- %[1]s is judged.
- node is socket.io on Node.js with native masking, and bun the same on Bun with Socket.IO's own
  engine for it; both serve the same contract and are set up as well as a careful developer would.
- floor is a bare program that does one write per delivery and nothing else: no protocol, no token,
  no care for slow readers. What no server is asked to do without, such as memory per connection,
  is not measured of it.

Figures are medians over the rounds, with the lowest and the highest in parentheses.

`

// Page returns the text of benchmarks.md.
func (r *Report) Page() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, intro, r.Peers[0])
	b.WriteString("## Figures to reach\n\n")
	r.goalsTable(&b)
	if r.has(Knee) {
		b.WriteString("\n## What stopped the search for the highest rate\n\nThe generator shares the cores with the server, so the highest rate is that of both together.\n\n")
		r.stops(&b)
	}
	for _, p := range r.plots() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n![%s](%s/%s)\n\n", p.title, p.text, p.title, folder, p.file)
		r.table(&b, p.rows(), false)
	}
	b.WriteString("\n## Measured on\n\n")
	r.circumstances(&b)
	return []byte(b.String())
}

// Publish writes benchmarks.md into dir, and its charts and all samples into dir/benchmarks.
func (r *Report) Publish(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	results, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	files := map[string][]byte{
		"benchmarks.md":                       r.Page(),
		filepath.Join(folder, "results.json"): append(results, '\n'),
	}
	for _, p := range r.plots() {
		var b bytes.Buffer
		if err := r.chart(p).WriteSVG(&b); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		files[filepath.Join(folder, p.file)] = b.Bytes()
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return nil
}
