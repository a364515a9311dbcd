package tally_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/test/load/internal/tally"
)

func TestLatency(t *testing.T) {
	t.Run("percentiles are those of what was recorded", func(t *testing.T) {
		l := tally.NewLatency()
		for ms := 1; ms <= 1000; ms++ {
			l.Record(time.Duration(ms) * time.Millisecond)
		}
		p := l.Percentiles()
		assert.Equal(t, uint64(1000), p.Count)
		assert.InEpsilon(t, 500, p.P50, 0.002)
		assert.InEpsilon(t, 900, p.P90, 0.002)
		assert.InEpsilon(t, 990, p.P99, 0.002)
		assert.InEpsilon(t, 999, p.P999, 0.002)
		assert.InEpsilon(t, 1000, p.Max, 0.002)
	})
	t.Run("merging adds distributions, it does not average percentiles", func(t *testing.T) {
		fast, slow := tally.NewLatency(), tally.NewLatency()
		fast.RecordN(time.Millisecond, 990)
		slow.RecordN(time.Second, 10)
		fast.Merge(slow)
		p := fast.Percentiles()
		assert.Equal(t, uint64(1000), p.Count)
		assert.InEpsilon(t, 1, p.P99, 0.002)
		assert.InEpsilon(t, 1000, p.P999, 0.002)
	})
	t.Run("a delivery that never came is the worst there is", func(t *testing.T) {
		l := tally.NewLatency()
		l.RecordN(time.Millisecond, 97)
		l.RecordN(tally.Never, 3)
		assert.InEpsilon(t, tally.Never.Seconds()*1000, l.Percentiles().P99, 0.002)
	})
	t.Run("what is out of range counts as its end", func(t *testing.T) {
		l := tally.NewLatency()
		l.Record(-time.Second)
		l.Record(time.Hour)
		p := l.Percentiles()
		assert.Equal(t, uint64(2), p.Count)
		assert.InEpsilon(t, 0.001, p.P50, 0.002)
		assert.InEpsilon(t, tally.Never.Seconds()*1000, p.Max, 0.002)
	})
	t.Run("nothing recorded is all zero", func(t *testing.T) {
		assert.Zero(t, tally.NewLatency().Percentiles())
	})
}
