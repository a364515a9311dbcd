package portstest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

// TestRoomStore checks that the stores that open returns do what ports.RoomStore says.
func TestRoomStore(t *testing.T, open func(t *testing.T) ports.RoomStore) {
	t.Run("Join", func(t *testing.T) { testJoin(t, open) })
	t.Run("Leave", func(t *testing.T) { testLeave(t, open) })
	t.Run("Drop and Expire", func(t *testing.T) { testDrop(t, open) })
	t.Run("Rooms", func(t *testing.T) { testRooms(t, open) })
	t.Run("Members and Sessions", func(t *testing.T) { testSnapshots(t, open) })
	t.Run("concurrency", func(t *testing.T) { testRoomRaces(t, open) })
	t.Run("errors", func(t *testing.T) { testRoomErrors(t, open) })
}

func testJoin(t *testing.T, open func(t *testing.T) ports.RoomStore) {
	t.Run("the first session of a user makes it a member, the second does not", func(t *testing.T) {
		r := rooms{t, open(t)}
		assert.True(t, r.join(room, "s1", "ann"))
		assert.False(t, r.join(room, "s2", "ann"))
		assert.True(t, r.join(room, "s3", "bob"))
		r.holds(room, users("ann", "bob"), sessions("s1", "s2", "s3"))
	})
	t.Run("joining again changes nothing", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		assert.False(t, r.join(room, "s1", "ann"))
		r.holds(room, users("ann"), sessions("s1"))
		assert.True(t, r.leave(room, "s1", "ann"), "one Leave ends what two Joins began")
	})
	t.Run("rooms know nothing of each other", func(t *testing.T) {
		r := rooms{t, open(t)}
		assert.True(t, r.join(room, "s1", "ann"))
		assert.True(t, r.join(other, "s1", "ann"))
		assert.True(t, r.leave(room, "s1", "ann"))
		r.holds(room, nil, nil)
		r.holds(other, users("ann"), sessions("s1"))
	})
}

func testLeave(t *testing.T, open func(t *testing.T) ports.RoomStore) {
	t.Run("the user stops being a member with the last session", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.join(room, "s2", "ann")
		r.join(room, "s3", "bob")
		assert.False(t, r.leave(room, "s1", "ann"))
		r.holds(room, users("ann", "bob"), sessions("s2", "s3"))
		assert.True(t, r.leave(room, "s2", "ann"))
		r.holds(room, users("bob"), sessions("s3"))
	})
	t.Run("a session that is not in the room changes nothing", func(t *testing.T) {
		r := rooms{t, open(t)}
		assert.False(t, r.leave(room, "s1", "ann"), "no room")
		r.join(room, "s1", "ann")
		assert.False(t, r.leave(room, "s2", "ann"), "another session of a member")
		assert.False(t, r.leave(room, "s3", "bob"), "a stranger")
		r.holds(room, users("ann"), sessions("s1"))
	})
	t.Run("a session that is not in the room does not end a grace time", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.drop(room, "s1", "ann", start)
		assert.False(t, r.leave(room, "s1", "ann"))
		r.holds(room, users("ann"), nil)
	})
	t.Run("a user in its grace time who comes back and leaves is gone", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.drop(room, "s1", "ann", start)
		r.join(room, "s2", "ann")
		assert.True(t, r.leave(room, "s2", "ann"))
		assert.False(t, r.expire(room, "ann", start))
		r.holds(room, nil, nil)
	})
	t.Run("a user stays a member while another session may come back", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.join(room, "s2", "ann")
		r.drop(room, "s1", "ann", start)
		assert.False(t, r.leave(room, "s2", "ann"))
		r.holds(room, users("ann"), nil)
		assert.True(t, r.expire(room, "ann", start))
		r.holds(room, nil, nil)
	})
	t.Run("a user who has left arrives anew", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.leave(room, "s1", "ann")
		assert.True(t, r.join(room, "s1", "ann"))
	})
}

func testRooms(t *testing.T, open func(t *testing.T) ports.RoomStore) {
	t.Run("all rooms come in order, page by page, and no empty one", func(t *testing.T) {
		r := rooms{t, open(t)}
		var want []domain.RoomID
		for i := range 100 {
			id := domain.RoomID(fmt.Sprintf("conversation:%03d", i))
			r.join(id, "s1", "ann")
			if i%10 == 3 {
				r.leave(id, "s1", "ann")
				continue
			}
			want = append(want, id)
		}
		var got []domain.RoomID
		for after := domain.RoomID(""); ; {
			page, err := r.store.Rooms(context.Background(), after, 7)
			require.NoError(t, err)
			got = append(got, page...)
			if len(page) < 7 {
				break
			}
			after = page[len(page)-1]
		}
		assert.Equal(t, want, got)
	})
	t.Run("a store without rooms has none", func(t *testing.T) {
		page, err := open(t).Rooms(context.Background(), "", 10)
		require.NoError(t, err)
		assert.Empty(t, page)
	})
}

func testSnapshots(t *testing.T, open func(t *testing.T) ports.RoomStore) {
	t.Run("members are sorted, and the slice is the caller's", func(t *testing.T) {
		r := rooms{t, open(t)}
		for i, u := range users("mia", "bob", "zoe", "ann") {
			r.join(room, domain.SessionID(fmt.Sprint("s", i)), u)
		}
		got, err := r.store.Members(context.Background(), room)
		require.NoError(t, err)
		assert.Equal(t, users("ann", "bob", "mia", "zoe"), got)
		got[0] = "spoilt"
		_ = append(got, "more")
		again, err := r.store.Members(context.Background(), room)
		require.NoError(t, err)
		assert.Equal(t, users("ann", "bob", "mia", "zoe"), again)
	})
	t.Run("later changes do not show in a snapshot of the sessions", func(t *testing.T) {
		for _, size := range []int{1, 3, 40, 200} {
			r := rooms{t, open(t)}
			var want []domain.SessionID
			for i := range size {
				s := domain.SessionID(fmt.Sprintf("s%03d", i))
				want = append(want, s)
				r.join(room, s, domain.UserID(s))
			}
			snapshot, err := r.store.Sessions(context.Background(), room)
			require.NoError(t, err)
			kept := slices.Clone(snapshot)
			r.leave(room, want[0], domain.UserID(want[0]))
			r.join(room, "new1", "new")
			r.join(room, "new2", "new")
			r.drop(room, want[size/2], domain.UserID(want[size/2]), start)
			assert.Equal(t, kept, snapshot)
			assert.ElementsMatch(t, want, snapshot)
		}
	})
	t.Run("an unknown room is empty", func(t *testing.T) {
		rooms{t, open(t)}.holds("conversation:none", nil, nil)
	})
}

func testRoomErrors(t *testing.T, open func(t *testing.T) ports.RoomStore) {
	t.Run("a done context is no other error, and then nothing has changed", func(t *testing.T) {
		r := rooms{t, open(t)}
		done, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := r.store.Join(done, room, "s1", "ann")
		assertContextError(t, err)
		if err != nil {
			r.holds(room, nil, nil)
			return
		}
		r.holds(room, users("ann"), sessions("s1"))
		_, err = r.store.Members(done, room)
		assertContextError(t, err)
		_, err = r.store.Sessions(done, room)
		assertContextError(t, err)
		_, err = r.store.Drop(done, room, "s1", "ann", start)
		assertContextError(t, err)
		_, err = r.store.Expire(done, room, "ann", start)
		assertContextError(t, err)
		_, err = r.store.Leave(done, room, "s1", "ann")
		assertContextError(t, err)
	})
}
