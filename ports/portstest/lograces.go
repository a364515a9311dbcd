package portstest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

func testLogRaces(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	t.Run("racing repeats are one message", func(t *testing.T) {
		l := log{t, open(t)}
		for round := range 50 {
			got, duplicates := make([]domain.Message, 8), make([]bool, 8)
			inParallel(8, func(i int) {
				got[i], duplicates[i] = l.append(draft(talk, "ann", fmt.Sprint("m", round)), start)
			})
			require.Equal(t, 7, trues(duplicates))
			for _, m := range got {
				require.Equal(t, uint64(round+1), m.Seq)
				same(t, got[0], m)
			}
		}
		assert.Equal(t, uint64(50), l.head(talk).Seq)
	})
	t.Run("racing messages have all places without a gap", func(t *testing.T) {
		l := log{t, open(t)}
		taken := make([][]uint64, 5)
		inParallel(5, func(i int) {
			for n := range 20 {
				m, duplicate := l.append(draft(talk, domain.UserID(fmt.Sprint("u", i)), fmt.Sprint("m", n)), start)
				assert.False(t, duplicate)
				taken[i] = append(taken[i], m.Seq)
			}
		})
		for _, one := range taken {
			assert.True(t, slices.IsSorted(one), "a sender's messages keep their order")
		}
		all := slices.Sorted(slices.Values(slices.Concat(taken...)))
		assert.Equal(t, sequence(1, 100), all)
		ms, gap := l.after(talk, domain.Position{Epoch: l.head(talk).Epoch})
		assert.Empty(t, gap)
		assert.Equal(t, sequence(1, 100), seqs(ms))
	})
}
