//go:build linux

package compare_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/compare"
	"parley/test/load/internal/scenario"
)

func TestSweeps(t *testing.T) {
	t.Run("values run against one server, and the page is written", func(t *testing.T) {
		cfg := config(t)
		cfg.SweepTime, cfg.Docs = 50*time.Millisecond, t.TempDir()
		out, err := cfg.Sweep(t.Context(), scenario.Sweep{By: scenario.RoomSize, Values: []int{5, 10}}, 0)
		require.NoError(t, err)
		require.Len(t, out.Swept, 1)
		require.Len(t, out.Swept[0].Points, 2)
		for _, p := range out.Swept[0].Points {
			assert.Empty(t, p.Fault)
			assert.Equal(t, p.Value, p.Result.Clients)
			assert.Positive(t, p.Result.Load.Deliveries.Received)
		}
		page, err := os.ReadFile(filepath.Join(cfg.Docs, "benchmarks-sweeps.md"))
		require.NoError(t, err)
		assert.Contains(t, string(page), "| room-size | 5 | 10 |")
	})
	t.Run("what cannot be swept is an error with what came before", func(t *testing.T) {
		cfg := config(t)
		cfg.SweepTime = 50 * time.Millisecond
		out, err := cfg.Sweep(t.Context(), scenario.Sweep{By: scenario.Conversations, Values: []int{1, 5000}}, 10)
		require.ErrorContains(t, err, "memberships")
		require.Len(t, out.Swept, 1)
		assert.Len(t, out.Swept[0].Points, 1)
	})
	t.Run("a server without a place is an error", func(t *testing.T) {
		cfg := config(t)
		cfg.Peers = []string{compare.Node}
		_, err := compare.Sweeps(t.Context(), cfg)
		assert.Error(t, err)
	})
	t.Run("its connections fit 20,000 descriptors", func(t *testing.T) {
		assert.Equal(t, 19_800, compare.MostSwept())
	})
}
