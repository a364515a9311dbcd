package cost_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/test/cost"
)

var sink []byte

// verdict stands in for a test and notes whether it failed.
type verdict struct {
	testing.TB
	failed bool
}

func (v *verdict) Helper()               {}
func (v *verdict) Fatalf(string, ...any) { v.failed = true }

func TestBound(t *testing.T) {
	for sentence, tc := range map[string]struct {
		limit  uint64
		failed bool
	}{
		"what costs less passes": {1 << 21, false},
		"what costs more fails":  {1 << 19, true},
	} {
		t.Run(sentence, func(t *testing.T) {
			v := &verdict{TB: t}
			cost.Bound(v, tc.limit, func() { sink = make([]byte, 1<<20) })
			assert.Equal(t, tc.failed, v.failed)
		})
	}

	t.Run("what others allocate meanwhile is not held against it for ever", func(t *testing.T) {
		times := 0
		cost.Bound(t, 1<<10, func() {
			if times++; times == 1 {
				sink = make([]byte, 1<<20)
			}
		})
		assert.Equal(t, 2, times)
	})
}
