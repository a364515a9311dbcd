package pace_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/pace"
)

// below returns a try that holds up to a limit, and counts its calls.
func below(limit float64, calls *int) func(float64) (pace.Trial, error) {
	return func(rate float64) (pace.Trial, error) {
		*calls++
		if rate <= limit {
			return pace.Trial{Rate: rate, Held: true}, nil
		}
		return pace.Trial{Rate: rate, Why: "too much"}, nil
	}
}

func TestSearch_Run(t *testing.T) {
	search := pace.Search{Start: 40, Max: 100_000, Precision: 1.1}
	for _, limit := range []float64{3, 39, 40, 59, 80, 1234, 54_321} {
		calls := 0
		found, err := search.Run(below(limit, &calls))
		require.NoError(t, err)
		assert.LessOrEqual(t, found.Best, limit)
		assert.Greater(t, found.Best*1.1+0.1, limit, "within the precision")
		assert.Len(t, found.Trials, calls, "every trial is reported")
		assert.Less(t, calls, 25)
	}

	t.Run("the way down ends", func(t *testing.T) {
		calls := 0
		found, err := search.Run(below(0, &calls))
		require.NoError(t, err)
		assert.Zero(t, found.Best)
		assert.Less(t, calls, 10)
	})
	t.Run("the way up ends at the limit given", func(t *testing.T) {
		calls := 0
		found, err := pace.Search{Start: 40, Max: 100, Precision: 1.1}.Run(below(1e9, &calls))
		require.NoError(t, err)
		assert.InDelta(t, 100, found.Best, 0)
		assert.Equal(t, 3, calls, "40, 80, 100")
	})
	t.Run("one bad moment does not end the climb", func(t *testing.T) {
		calls := 0
		hiccup := func(rate float64) (pace.Trial, error) {
			calls++
			return pace.Trial{Rate: rate, Held: calls != 2 && rate <= 1000}, nil
		}
		found, err := pace.Search{Start: 40, Max: 100_000, Precision: 1.1, Retries: 1}.Run(hiccup)
		require.NoError(t, err)
		assert.Greater(t, found.Best, 900.0)
	})
	t.Run("an error ends the search and keeps what was found", func(t *testing.T) {
		broken := errors.New("server is gone")
		found, err := search.Run(func(rate float64) (pace.Trial, error) {
			if rate > 100 {
				return pace.Trial{}, broken
			}
			return pace.Trial{Rate: rate, Held: true}, nil
		})
		require.ErrorIs(t, err, broken)
		assert.InDelta(t, 80, found.Best, 0)
	})
	t.Run("a search without a start, an end or a precision is refused", func(t *testing.T) {
		for _, s := range []pace.Search{
			{Max: 10, Precision: 1.1},
			{Start: 10, Max: 5, Precision: 1.1},
			{Start: 10, Max: 20, Precision: 1},
		} {
			_, err := s.Run(func(float64) (pace.Trial, error) { return pace.Trial{Held: true}, nil })
			assert.Error(t, err)
		}
	})
}
