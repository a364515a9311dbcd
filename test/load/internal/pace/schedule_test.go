package pace_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/test/load/internal/pace"
)

func TestSchedule(t *testing.T) {
	t.Run("times are fixed by the rate alone", func(t *testing.T) {
		s := pace.NewSchedule(time.Second, 40, 2*time.Second)
		assert.Equal(t, 80, s.Count())
		assert.Equal(t, time.Second, s.Due(0))
		assert.Equal(t, time.Second+25*time.Millisecond, s.Due(1))
		assert.Equal(t, 3*time.Second, s.Due(80))
	})
	t.Run("a rate that does not divide a second does not drift", func(t *testing.T) {
		s := pace.NewSchedule(0, 3, 100*time.Second)
		assert.Equal(t, 300, s.Count())
		assert.Equal(t, 100*time.Second, s.Due(300))
	})
	t.Run("less than one a second is a rate too", func(t *testing.T) {
		s := pace.NewSchedule(0, 0.5, 10*time.Second)
		assert.Equal(t, 5, s.Count())
		assert.Equal(t, 2*time.Second, s.Due(1))
	})
	t.Run("who comes late finds all that is due, and never more than there is", func(t *testing.T) {
		s := pace.NewSchedule(time.Second, 10, time.Second)
		assert.Equal(t, 0, s.DueBy(0))
		assert.Equal(t, 0, s.DueBy(time.Second-1))
		assert.Equal(t, 1, s.DueBy(time.Second))
		assert.Equal(t, 1, s.DueBy(time.Second+100*time.Millisecond-1))
		assert.Equal(t, 6, s.DueBy(time.Second+500*time.Millisecond))
		assert.Equal(t, 10, s.DueBy(time.Hour))
	})
	t.Run("due times and counts agree at every rate", func(t *testing.T) {
		for _, rate := range []float64{0.3, 1, 7, 40, 282.8, 1000, 9973} {
			s := pace.NewSchedule(17*time.Millisecond, rate, 3*time.Second)
			for k := range s.Count() {
				assert.Equal(t, k+1, s.DueBy(s.Due(k)), "rate %g, event %d", rate, k)
				assert.Equal(t, k, s.DueBy(s.Due(k)-1), "rate %g, before event %d", rate, k)
			}
		}
	})
}
