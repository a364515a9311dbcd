package memory_test

import (
	"context"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/domain"
)

func TestRooms_Sessions_allocates_nothing_per_member(t *testing.T) {
	for _, size := range []int{10, 1000} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			rooms := memory.NewRooms()
			for i := range size {
				id := strconv.Itoa(i)
				_, err := rooms.Join(context.Background(), "room", domain.SessionID(id), domain.UserID(id))
				require.NoError(t, err)
			}
			const rounds = 100
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range rounds {
				sessions, err := rooms.Sessions(context.Background(), "room")
				if err != nil || len(sessions) != size {
					t.Fatal(len(sessions), err)
				}
			}
			runtime.ReadMemStats(&after)
			bytes := (after.TotalAlloc - before.TotalAlloc) / rounds
			assert.Less(t, bytes, uint64(100), "a copy of the room is %d", 16*size)
		})
	}
}
