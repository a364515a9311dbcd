package portstest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

// testRoomRaces lets users come and go at the same time: a user's arrivals and departures must alternate, and in the end
// the room must hold what the last calls left.
func testRoomRaces(t *testing.T, open func(t *testing.T) ports.RoomStore) {
	t.Run("racing first sessions make one arrival, racing last ones one departure", func(t *testing.T) {
		r := rooms{t, open(t)}
		for range 50 {
			arrivals, departures := make([]bool, 8), make([]bool, 8)
			inParallel(8, func(i int) { arrivals[i] = r.join(room, domain.SessionID(fmt.Sprint("s", i)), "ann") })
			inParallel(8, func(i int) { departures[i] = r.leave(room, domain.SessionID(fmt.Sprint("s", i)), "ann") })
			require.Equal(t, 1, trues(arrivals))
			require.Equal(t, 1, trues(departures))
		}
		r.holds(room, nil, nil)
	})
	t.Run("nothing is lost when many come and go", func(t *testing.T) {
		r := rooms{t, open(t)}
		inParallel(8, func(i int) {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			s, u := domain.SessionID(fmt.Sprint("s", i)), domain.UserID(fmt.Sprint("u", i))
			for range 200 {
				r.join(room, s, u)
				if random.IntN(2) == 0 {
					r.leave(room, s, u)
					continue
				}
				r.drop(room, s, u, start)
				r.expire(room, u, start)
			}
			if i%2 == 0 {
				r.join(room, s, u)
			}
		})
		r.holds(room, users("u0", "u2", "u4", "u6"), sessions("s0", "s2", "s4", "s6"))
	})
}
