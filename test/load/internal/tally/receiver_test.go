package tally_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/test/load/internal/tally"
)

func TestReceiver(t *testing.T) {
	for name, c := range map[string]struct {
		base uint64
		seen []uint64
		high uint64
		want tally.Deliveries
	}{
		"all in order":                      {0, []uint64{1, 2, 3}, 3, tally.Deliveries{Expected: 3, Received: 3}},
		"all in order after earlier ones":   {10, []uint64{11, 12}, 12, tally.Deliveries{Expected: 2, Received: 2}},
		"nothing at all":                    {0, nil, 4, tally.Deliveries{Expected: 4, Lost: 4}},
		"the first lost":                    {0, []uint64{2, 3}, 3, tally.Deliveries{Expected: 3, Received: 2, Lost: 1}},
		"two in the middle lost":            {0, []uint64{1, 4}, 4, tally.Deliveries{Expected: 4, Received: 2, Lost: 2}},
		"the last lost":                     {0, []uint64{1, 2}, 3, tally.Deliveries{Expected: 3, Received: 2, Lost: 1}},
		"one twice":                         {0, []uint64{1, 1, 2}, 2, tally.Deliveries{Expected: 2, Received: 2, Doubled: 1}},
		"one from before joining":           {5, []uint64{5, 6}, 6, tally.Deliveries{Expected: 1, Received: 1, Doubled: 1}},
		"two swapped":                       {0, []uint64{2, 1, 3}, 3, tally.Deliveries{Expected: 3, Received: 3, Reordered: 1}},
		"a gap filled from behind":          {0, []uint64{5, 4, 3, 2, 1}, 5, tally.Deliveries{Expected: 5, Received: 5, Reordered: 4}},
		"a gap filled from its middle":      {0, []uint64{6, 3, 1, 5}, 6, tally.Deliveries{Expected: 6, Received: 4, Lost: 2, Reordered: 3}},
		"a late one twice":                  {0, []uint64{2, 1, 1}, 2, tally.Deliveries{Expected: 2, Received: 2, Reordered: 1, Doubled: 1}},
		"one more than anybody had settled": {0, []uint64{1, 2}, 1, tally.Deliveries{Expected: 1, Received: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			var r tally.Receiver
			r.Start(c.base)
			for _, seq := range c.seen {
				r.See(seq)
			}
			got := r.Until(c.high)
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.want.Lost+c.want.Doubled+c.want.Reordered == 0, got.Clean())
		})
	}

	t.Run("a new start forgets what was", func(t *testing.T) {
		var r tally.Receiver
		r.See(3)
		r.Start(7)
		r.See(8)
		assert.Equal(t, tally.Deliveries{Expected: 1, Received: 1}, r.Until(8))
		assert.Equal(t, uint64(8), r.Last())
	})
}

// Whatever arrives in whatever order, the account agrees with a simple one that is kept with a set.
func TestReceiver_agreesWithASet(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		const high = 60
		var r tally.Receiver
		seen := map[uint64]bool{}
		want := tally.Deliveries{Expected: high}
		top := uint64(0)
		for range 100 {
			seq := 1 + random.Uint64N(high)
			switch {
			case seen[seq]:
				want.Doubled++
			case seq < top:
				want.Reordered++
			}
			assert.Equal(t, seen[seq], r.Seen(seq), "seed %d, seq %d", seed, seq)
			assert.Equal(t, !seen[seq], r.See(seq), "seed %d, seq %d", seed, seq)
			seen[seq], top = true, max(top, seq)
		}
		want.Received = uint64(len(seen))
		want.Lost = high - want.Received
		assert.Equal(t, want, r.Until(high), "seed %d", seed)
	}
}

func TestReceiver_boundsItsGaps(t *testing.T) {
	var r tally.Receiver
	const last = 100_000
	for seq := uint64(2); seq <= last; seq += 2 { // every other one lost: 50,000 gaps
		r.See(seq)
	}
	d := r.Until(last)
	assert.Equal(t, uint64(last/2), d.Lost, "forgotten gaps still count as lost")
	assert.True(t, r.See(last-1), "a recent gap is remembered")
	assert.False(t, r.See(1), "an old one is not")
}
