// Package cost bounds what a call may cost, for tests and fuzz targets of code that reads untrusted bytes: a few bytes
// must not cost much memory or time.
package cost

import (
	"runtime"
	"testing"
	"time"
)

// patience is how long f may take in wall time. Inputs have at most megabytes, which take milliseconds, so only a call
// that costs more than linear time, or never ends, comes near it, also on a busy machine.
const patience = 5 * time.Second

// Allocated returns how many bytes the whole program allocates while f runs, other goroutines included.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Bound fails the test if f allocates more than limit bytes or takes longer than five seconds. Since allocations of
// other goroutines are counted too, f is run up to three times and the least counts: it must do the same each time.
func Bound(t testing.TB, limit uint64, f func()) {
	t.Helper()
	var least uint64
	for try := range 3 {
		start := time.Now()
		spent := Allocated(f)
		if took := time.Since(start); took > patience {
			t.Fatalf("took %v, more than %v", took, patience)
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
