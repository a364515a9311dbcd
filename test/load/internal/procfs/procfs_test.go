package procfs_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/procfs"
)

const (
	stat = "4242 (a (very) odd) name) S 1 4242 4242 0 -1 4194560 1000 0 0 0 " +
		"1234 567 8 9 20 0 11 0 100 1200000000 9000 18446744073709551615\n"
	status = "Name:\todd\nVmPeak:\t  999999 kB\nVmHWM:\t   45678 kB\nVmRSS:\t   12345 kB\nThreads:\t11\n"
)

func TestParse(t *testing.T) {
	t.Run("a name with blanks and parentheses does not shift the fields", func(t *testing.T) {
		u, err := procfs.Parse([]byte(stat), []byte(status))
		require.NoError(t, err)
		assert.Equal(t, procfs.Usage{CPU: (1234 + 567) * 10 * time.Millisecond, RSS: 12345 << 10, PeakRSS: 45678 << 10}, u)
	})
	for name, c := range map[string]struct{ stat, status string }{
		"no name":            {"4242 odd S 1", status},
		"too few fields":     {"4242 (odd) S 1 2 3", status},
		"CPU not a number":   {strings.Replace(stat, "1234", "12x4", 1), status},
		"no resident size":   {stat, strings.Replace(status, "VmRSS", "VmXXX", 1)},
		"size not a number":  {stat, strings.Replace(status, "12345", "-", 1)},
		"no peak of it":      {stat, strings.Replace(status, "VmHWM", "VmXXX", 1)},
		"nothing to be read": {},
	} {
		t.Run(name+" is an error", func(t *testing.T) {
			_, err := procfs.Parse([]byte(c.stat), []byte(c.status))
			assert.Error(t, err)
		})
	}
}

func TestRead(t *testing.T) {
	t.Run("this process uses memory, and 0 means it", func(t *testing.T) {
		u, err := procfs.Read(0)
		require.NoError(t, err)
		assert.Greater(t, u.RSS, int64(1<<20))
		assert.GreaterOrEqual(t, u.PeakRSS, u.RSS)
		same, err := procfs.Read(os.Getpid())
		require.NoError(t, err)
		assert.InDelta(t, float64(u.RSS), float64(same.RSS), 64<<20)
	})
	t.Run("CPU time grows with work", func(t *testing.T) {
		before, err := procfs.Read(0)
		require.NoError(t, err)
		for end := time.Now().Add(time.Second); time.Now().Before(end); {
			now, err := procfs.Read(0)
			require.NoError(t, err)
			if now.CPU > before.CPU {
				return
			}
		}
		t.Fatal("a second of work did not show")
	})
	t.Run("a process that does not exist is an error", func(t *testing.T) {
		_, err := procfs.Read(1 << 30)
		assert.Error(t, err)
	})
}
