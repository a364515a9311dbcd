// Package cost measures what a call costs, for tests and fuzz targets of code that strangers feed: they
// must not be able to buy much memory or time with few bytes.
package cost

import (
	"runtime"
	"testing"
	"time"
)

// patience is how long any input of a test may take, in wall time. Inputs are at most megabytes, which
// take milliseconds: only what grows faster than its input, or never ends, comes near. It leaves room
// for a machine with better things to do.
const patience = 5 * time.Second

// Allocated returns how many bytes the program allocates while f runs. Other goroutines count too.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Bound fails the test if f allocates more than limit bytes or takes seconds. Over the limit f is run
// again, because what other goroutines allocate is counted too: it must do the same each time.
func Bound(t testing.TB, limit uint64, f func()) {
	t.Helper()
	var least uint64
	for try := range 3 {
		start := time.Now()
		spent := Allocated(f)
		if took := time.Since(start); took > patience {
			t.Fatalf("took %v", took)
		}
		if try == 0 || spent < least {
			least = spent
		}
		if least <= limit {
			return
		}
	}
	t.Fatalf("allocated %d bytes, more than %d", least, limit)
}
