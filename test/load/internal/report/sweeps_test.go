//go:build linux

package report_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/report"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/tally"
)

func swept() report.Sweeps {
	rooms, sizes := scenario.Swept{By: scenario.RoomCount}, scenario.Swept{By: scenario.RoomSize}
	for i, cpu := range []float64{8, 16, 12} {
		rooms.Add(10*(i+1), scenario.Result{Load: &scenario.Load{ServerCPUMicros: cpu}})
	}
	sizes.Add(1000, scenario.Result{Load: &scenario.Load{
		ServerCPUMicros: 9.5, ServerRSS: 5_000_000, Deliveries: tally.Deliveries{Expected: 9, Received: 8, Lost: 1},
	}, RSSStart: 1_000_000, Clients: 1000})
	return report.Sweeps{Title: "2026-01-02, commit abc", Environment: []string{"two cores"}, Swept: []scenario.Swept{rooms, sizes}}
}

func TestSweeps_WriteMarkdown(t *testing.T) {
	var b strings.Builder
	require.NoError(t, swept().WriteMarkdown(&b))
	golden(t, "sweeps.md", b.String())
	assert.Contains(t, b.String(), "| cpuMicrosPerDelivery | 8 | 16 (×2.00) | 12 (×0.75) |")
	assert.Contains(t, b.String(), "**jump**: cpuMicrosPerDelivery from rooms=10 to 20: 2.00 times")
	assert.Contains(t, b.String(), "**fault** at 1,000: 1 lost")
	assert.ErrorIs(t, swept().WriteMarkdown(broken{}), errBroken)
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestSweeps_Publish(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, swept().Publish(filepath.Join(dir, "docs")))
	page, err := os.ReadFile(filepath.Join(dir, "docs", "benchmarks-sweeps.md"))
	require.NoError(t, err)
	golden(t, "sweeps.md", string(page))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	assert.Error(t, swept().Publish(filepath.Join(dir, "file")))
}
