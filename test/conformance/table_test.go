package conformance_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/test/internal/command"
)

// column is one suite (fixture or chat) run against one server (Node or Parley).
type column struct{ suite, server, url string }

// result is one line of output of js/run.mjs: the outcome of one case with one client over one transport.
type result struct {
	row
	// Place orders the results of a suite, which finish in any order.
	Place int `json:"place"`
	// Error is why it failed, or "".
	Error string `json:"error"`
}

// row names what both servers must do alike.
type row struct {
	Case      string `json:"case"`
	Client    string `json:"client"`
	Transport string `json:"transport"`
}

// run runs the suite to its end and returns its results in order. It is called by several goroutines, so it marks the
// test as failed but does not end it.
func (c column) run(t *testing.T) []result {
	env := []string{"PARLEY_URL=" + c.url, "JWT_SECRET=" + secret, "NO_COLOR=1"}
	output, err := command.Run(runTime, "js", env, "node", "run.mjs", c.suite)
	assert.NoError(t, err, "%s against %s", c.suite, c.server)
	var results []result
	for line := range strings.Lines(output) {
		var r result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			assert.Fail(t, "the suite wrote a line that is not a result", "%s against %s:\n%s", c.suite, c.server, output)
			break
		}
		results = append(results, r)
	}
	slices.SortFunc(results, func(a, b result) int { return a.Place - b.Place })
	return results
}

var servers = []string{"Node", "Parley"}

// table has a row for each case, client and transport, and a column for each server.
type table struct {
	rows []row
	// outcomes are "pass" or what went wrong, by row and server. A missing one was not run.
	outcomes map[row]map[string]string
}

func newTable() *table { return &table{outcomes: map[row]map[string]string{}} }

func (tb *table) add(server string, results []result) {
	for _, r := range results {
		if tb.outcomes[r.row] == nil {
			tb.outcomes[r.row] = map[string]string{}
			tb.rows = append(tb.rows, r.row)
		}
		outcome := "pass"
		if r.Error != "" {
			outcome = r.Error
		}
		tb.outcomes[r.row][server] = outcome
	}
}

// failures has one line for everything that failed or was not run.
func (tb *table) failures() []string {
	var all []string
	for _, r := range tb.rows {
		for _, server := range servers {
			switch outcome := tb.outcomes[r][server]; outcome {
			case "pass":
			case "":
				all = append(all, fmt.Sprintf("%s: %v was not run", server, r))
			default:
				all = append(all, fmt.Sprintf("%s: %v: %s", server, r, outcome))
			}
		}
	}
	return all
}

// String formats the table for people, with pass or FAIL in each column.
func (tb *table) String() string {
	var b strings.Builder
	widest := 0
	for _, r := range tb.rows {
		widest = max(widest, len(r.Case))
	}
	const line = "%-*s  %-7s %-10s %-6s %s\n"
	fmt.Fprintf(&b, line, widest, "case", "client", "transport", servers[0], servers[1])
	passed := map[string]int{}
	for _, r := range tb.rows {
		var cells [2]string
		for i, server := range servers {
			cells[i] = "FAIL"
			if tb.outcomes[r][server] == "pass" {
				cells[i] = "pass"
				passed[server]++
			}
		}
		fmt.Fprintf(&b, line, widest, r.Case, r.Client, r.Transport, cells[0], cells[1])
	}
	fmt.Fprintf(&b, "%d rows: %d pass on %s, %d on %s\n", len(tb.rows), passed[servers[0]], servers[0], passed[servers[1]], servers[1])
	return b.String()
}
