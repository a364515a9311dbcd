package domain_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

var seedFlag = flag.Uint64("domain.seed", 0, "run the domain's properties with this seed only")

// seeds are those that the properties are played with.
func seeds() []uint64 {
	if *seedFlag != 0 {
		return []uint64{*seedFlag}
	}
	return []uint64{1, 2, 3, 4, rand.Uint64()}
}

// crowd returns n users, sorted.
func crowd(n int) []domain.UserID {
	users := make([]domain.UserID, n)
	for i := range users {
		users[i] = domain.UserID(fmt.Sprintf("u%05d", i))
	}
	return users
}

func deliver(from domain.UserID, members ...domain.UserID) *domain.Delivery {
	m := domain.Message{Draft: domain.Draft{Conversation: "talk", User: from, ID: "m1"}, Seq: 7}
	return domain.NewDelivery(3, m, members)
}

func TestDelivery(t *testing.T) {
	t.Run("the members but the sender are to confirm, each once", func(t *testing.T) {
		d := deliver("bob", "ann", "bob", "eve")
		assert.Equal(t, 2, d.Expected())
		assert.Equal(t, []domain.UserID{"ann", "eve"}, d.Awaited())
		assert.False(t, d.Confirm("bob"), "the sender")
		assert.False(t, d.Confirm("zoe"), "a stranger")
		assert.True(t, d.Confirm("eve"))
		assert.False(t, d.Confirm("eve"), "again")
		assert.False(t, d.Over())
		assert.True(t, d.Confirm("ann"))
		assert.True(t, d.Over())
		assert.Empty(t, d.Awaited())
		assert.Equal(t, domain.MessageDelivered{
			Conversation: "talk", Message: "m1", Seq: 7, Expected: 2, Delivered: 2, At: noon,
		}, d.Report(noon))
	})
	t.Run("the sender need not be a member", func(t *testing.T) {
		for _, sender := range []domain.UserID{"aaa", "coach", "zzz"} {
			d := deliver(sender, "ann", "eve")
			assert.Equal(t, []domain.UserID{"ann", "eve"}, d.Awaited())
		}
	})
	t.Run("without anybody else it is over before it begins", func(t *testing.T) {
		for _, d := range []*domain.Delivery{deliver("ann"), deliver("ann", "ann")} {
			assert.True(t, d.Over())
			assert.Zero(t, d.Expected())
			assert.Empty(t, d.Awaited())
			assert.Empty(t, d.Report(noon).Pending)
			assert.False(t, d.Confirm("ann"))
		}
	})
	t.Run("who was given up is pending, and counts if it confirms all the same", func(t *testing.T) {
		d := deliver("ann", "ann", "bob", "eve")
		assert.True(t, d.GiveUp("bob"))
		assert.False(t, d.GiveUp("bob"), "again")
		assert.False(t, d.GiveUp("zoe"), "a stranger")
		assert.False(t, d.Awaits("bob"))
		assert.True(t, d.Awaits("eve"))
		assert.False(t, d.Awaits("ann"))
		assert.True(t, d.GiveUp("eve"))
		require.True(t, d.Over())
		assert.Equal(t, []domain.UserID{"bob", "eve"}, d.Report(noon).Pending)
		assert.True(t, d.Confirm("bob"))
		report := d.Report(noon)
		assert.Equal(t, []domain.UserID{"eve"}, report.Pending)
		assert.Equal(t, 1, report.Delivered)
	})
	t.Run("the members given are not written to", func(t *testing.T) {
		members := []domain.UserID{"ann", "bob", "eve"}
		d := deliver("bob", members...)
		d.Confirm("eve")
		d.Awaited()[0] = "spoilt"
		d.Report(noon).Pending[0] = "spoilt"
		assert.Equal(t, []domain.UserID{"ann", "bob", "eve"}, members)
		assert.Equal(t, []domain.UserID{"ann"}, d.Awaited())
	})
	t.Run("rooms of every size around the words of the sets", func(t *testing.T) {
		for _, n := range []int{1, 2, 63, 64, 65, 66, 127, 128, 129, 130, 1000} {
			users := crowd(n)
			d := deliver(users[n/2], users...)
			require.Equal(t, n-1, d.Expected())
			for i, u := range users {
				if i == n/2 {
					continue
				}
				require.False(t, d.Over(), "%d of %d", i, n)
				require.True(t, d.Awaits(u))
				require.True(t, d.Confirm(u))
			}
			require.True(t, d.Over(), "%d", n)
			require.Equal(t, n-1, d.Report(noon).Delivered)
		}
	})
}

// TestDelivery_property compares deliveries with two maps.
func TestDelivery_property(t *testing.T) {
	for _, seed := range seeds() {
		t.Run(fmt.Sprintf("-domain.seed=%d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			for range 15 {
				playDelivery(t, random)
			}
		})
	}
}

func playDelivery(t *testing.T, random *rand.Rand) {
	all := crowd(1 + random.IntN(200))
	var members []domain.UserID
	for _, u := range all {
		if random.IntN(4) > 0 {
			members = append(members, u)
		}
	}
	sender := all[random.IntN(len(all))]
	d := deliver(sender, members...)
	expected := slices.DeleteFunc(slices.Clone(members), func(u domain.UserID) bool { return u == sender })
	confirmed, gone := map[domain.UserID]bool{}, map[domain.UserID]bool{}
	for range 3 * len(all) {
		u := all[random.IntN(len(all))]
		is := slices.Contains(expected, u)
		if random.IntN(3) == 0 {
			require.Equal(t, is && !gone[u], d.GiveUp(u))
			gone[u] = true
		} else {
			require.Equal(t, is && !confirmed[u], d.Confirm(u))
			confirmed[u] = true
		}
		var awaited, pending []domain.UserID
		for _, u := range expected {
			if !confirmed[u] {
				pending = append(pending, u)
				if !gone[u] {
					awaited = append(awaited, u)
				}
			}
		}
		require.Equal(t, awaited, d.Awaited())
		require.Equal(t, len(awaited) == 0, d.Over())
		require.Equal(t, slices.Contains(awaited, u), d.Awaits(u))
		require.Equal(t, len(expected), d.Expected())
		require.Equal(t, domain.MessageDelivered{
			Conversation: "talk", Message: "m1", Seq: 7,
			Expected: len(expected), Delivered: len(expected) - len(pending), Pending: pending, At: noon,
		}, d.Report(noon))
	}
}
