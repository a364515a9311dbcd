package memory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/domain"
)

func TestRooms_forget_empty_rooms(t *testing.T) {
	const count = 1000
	ctx, until := context.Background(), time.Now()
	id := func(i int) domain.RoomID { return domain.RoomID(fmt.Sprint("room", i)) }
	fill := func(t *testing.T) *memory.Rooms {
		rooms := memory.NewRooms()
		for i := range count {
			_, err := rooms.Join(ctx, id(i), "s", "ann")
			require.NoError(t, err)
		}
		require.Equal(t, count, rooms.Len())
		return rooms
	}
	t.Run("an empty room is forgotten when the last session leaves", func(t *testing.T) {
		rooms := fill(t)
		for i := range count {
			departed, _ := rooms.Leave(ctx, id(i), "s", "ann")
			assert.True(t, departed)
		}
		assert.Zero(t, rooms.Len())
	})
	t.Run("an empty room is forgotten when the last user's grace time is over, and not before", func(t *testing.T) {
		rooms := fill(t)
		for i := range count {
			lingering, _ := rooms.Drop(ctx, id(i), "s", "ann", until)
			assert.True(t, lingering)
		}
		assert.Equal(t, count, rooms.Len())
		for i := range count {
			departed, _ := rooms.Expire(ctx, id(i), "ann", until)
			assert.True(t, departed)
		}
		assert.Zero(t, rooms.Len())
	})
	t.Run("asking for a room does not make it", func(t *testing.T) {
		rooms := memory.NewRooms()
		for i := range count {
			_, _ = rooms.Members(ctx, id(i))
			_, _ = rooms.Sessions(ctx, id(i))
			_, _ = rooms.Leave(ctx, id(i), "s", "ann")
			_, _ = rooms.Drop(ctx, id(i), "s", "ann", until)
			_, _ = rooms.Expire(ctx, id(i), "ann", until)
		}
		assert.Zero(t, rooms.Len())
	})
}
