//go:build linux

package compare

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Other work on the machine makes latencies longer, and most of all it lowers the highest rates.
const (
	busyWindow = time.Second
	busyLimit  = 0.1 // share of all cores
)

// disturbed watches the machine for busyWindow while nothing is being measured, and returns a sentence if it is busy with
// other work, else "". when begins the sentence.
func disturbed(ctx context.Context, when string) string {
	before := busyTicks()
	select {
	case <-ctx.Done():
		return ""
	case <-time.After(busyWindow):
	}
	after := busyTicks()
	total := after.total - before.total
	if total <= 0 {
		return ""
	}
	share := float64(after.busy-before.busy) / float64(total)
	if share < busyLimit {
		return ""
	}
	return fmt.Sprintf("%s the machine was %.0f %% busy with something else: rates and latencies tell little", when, 100*share)
}

type ticks struct{ busy, total int64 }

// busyTicks reads the first line of /proc/stat, proc_stat(5); all zero if it cannot be read.
func busyTicks() ticks {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return ticks{}
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return parseTicks(line)
}

// parseTicks reads "cpu user nice system idle iowait irq softirq steal guest …". The guest's time is left out because
// user's includes it.
func parseTicks(line string) (t ticks) {
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return ticks{}
	}
	for i, field := range fields[1:9] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return ticks{}
		}
		t.total += n
		if i != 3 && i != 4 { // idle, iowait
			t.busy += n
		}
	}
	return t
}
