package pace

import "time"

// Schedule gives event k (0, 1, 2…) the fixed time start + k/rate. A late event does not delay the ones after it, so a
// server that stalls cannot hide it (coordinated omission).
type Schedule struct {
	start time.Duration
	rate  float64
	count int
}

// NewSchedule plans rate events per second for length, the first at start. Times are on the same clock as start.
func NewSchedule(start time.Duration, rate float64, length time.Duration) Schedule {
	return Schedule{start: start, rate: rate, count: int(rate*length.Seconds() + 0.5)}
}

// Count returns the number of events.
func (s Schedule) Count() int { return s.count }

// Due returns the time of event k.
func (s Schedule) Due(k int) time.Duration {
	return s.start + time.Duration(float64(k)*float64(time.Second)/s.rate)
}

// DueBy returns how many events are due at now, at most Count.
func (s Schedule) DueBy(now time.Duration) int {
	if now < s.start {
		return 0
	}
	k := min(int(float64(now-s.start)*s.rate/float64(time.Second)), s.count)
	for k > 0 && s.Due(k-1) > now { // rounding may put k one too high or too low
		k--
	}
	for k < s.count && s.Due(k) <= now {
		k++
	}
	return k
}
