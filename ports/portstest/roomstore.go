package portstest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

const (
	room  domain.RoomID = "conversation:one"
	other domain.RoomID = "conversation:two"
)

// start is the time that the suites begin at.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

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
	t.Run("a user of whom another session may come back stays a member", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.join(room, "s2", "ann")
		r.drop(room, "s1", "ann", start)
		assert.False(t, r.leave(room, "s2", "ann"))
		r.holds(room, users("ann"), nil)
		assert.True(t, r.expire(room, "ann", start))
		r.holds(room, nil, nil)
	})
	t.Run("who left arrives anew", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.leave(room, "s1", "ann")
		assert.True(t, r.join(room, "s1", "ann"))
	})
}

func testDrop(t *testing.T, open func(t *testing.T) ports.RoomStore) {
	t.Run("the last session lets the user linger until Expire", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.join(room, "s2", "ann")
		assert.True(t, r.drop(room, "s1", "ann", start))
		assert.True(t, r.drop(room, "s2", "ann", start))
		r.holds(room, users("ann"), nil)
		assert.True(t, r.expire(room, "ann", start))
		r.holds(room, nil, nil)
		assert.False(t, r.expire(room, "ann", start), "only once")
		assert.True(t, r.join(room, "s1", "ann"), "who expired arrives anew")
	})
	t.Run("a session that is not in the room changes nothing", func(t *testing.T) {
		r := rooms{t, open(t)}
		assert.False(t, r.drop(room, "s1", "ann", start), "no room")
		r.join(room, "s1", "ann")
		assert.False(t, r.drop(room, "s2", "ann", start))
		r.drop(room, "s1", "ann", start)
		assert.False(t, r.drop(room, "s1", "ann", start.Add(time.Hour)), "dropped already")
		assert.True(t, r.expire(room, "ann", start), "and its time is that of the first")
	})
	t.Run("who comes back in the grace time did not arrive and does not expire", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.drop(room, "s1", "ann", start)
		assert.False(t, r.join(room, "s2", "ann"))
		assert.False(t, r.expire(room, "ann", start))
		r.holds(room, users("ann"), sessions("s2"))
	})
	t.Run("an expiry before the time is over does nothing", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.drop(room, "s1", "ann", start.Add(time.Second))
		assert.False(t, r.expire(room, "ann", start.Add(time.Second-time.Millisecond)))
		r.holds(room, users("ann"), nil)
		assert.True(t, r.expire(room, "ann", start.Add(time.Second)))
	})
	t.Run("the expiry of a first drop does not cut a second one short", func(t *testing.T) {
		r := rooms{t, open(t)}
		first, second := start.Add(10*time.Second), start.Add(16*time.Second)
		r.join(room, "s1", "ann")
		r.drop(room, "s1", "ann", first)
		r.join(room, "s2", "ann")
		r.drop(room, "s2", "ann", second)
		assert.False(t, r.expire(room, "ann", first))
		r.holds(room, users("ann"), nil)
		assert.True(t, r.expire(room, "ann", second))
	})
	t.Run("one return makes up for one drop", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.join(room, "s2", "ann")
		r.drop(room, "s1", "ann", start)
		r.drop(room, "s2", "ann", start)
		r.join(room, "s3", "ann")
		assert.False(t, r.leave(room, "s3", "ann"))
		r.holds(room, users("ann"), nil)
		r.join(room, "s4", "ann")
		assert.True(t, r.leave(room, "s4", "ann"))
		r.holds(room, nil, nil)
	})
	t.Run("an expiry while the user has a session ends the wait alone", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.join(room, "s2", "ann")
		r.drop(room, "s1", "ann", start)
		assert.False(t, r.expire(room, "ann", start))
		r.holds(room, users("ann"), sessions("s2"))
		assert.True(t, r.leave(room, "s2", "ann"))
	})
	t.Run("users, rooms and strangers expire each for itself", func(t *testing.T) {
		r := rooms{t, open(t)}
		for _, in := range []domain.RoomID{room, other} {
			r.join(in, "s1", "ann")
			r.join(in, "s2", "bob")
			r.drop(in, "s1", "ann", start)
			r.drop(in, "s2", "bob", start)
		}
		assert.True(t, r.expire(room, "ann", start))
		assert.False(t, r.expire(room, "eve", start))
		assert.False(t, r.expire("conversation:none", "ann", start))
		r.holds(room, users("bob"), nil)
		r.holds(other, users("ann", "bob"), nil)
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

// testRoomRaces lets users come and go at the same time; arrivals and departures of a user must
// then alternate, and the end must be what the last calls left.
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

// rooms calls a store that must not fail.
type rooms struct {
	t     *testing.T
	store ports.RoomStore
}

func (r rooms) join(id domain.RoomID, s domain.SessionID, u domain.UserID) bool {
	arrived, err := r.store.Join(context.Background(), id, s, u)
	assert.NoError(r.t, err)
	return arrived
}

func (r rooms) leave(id domain.RoomID, s domain.SessionID, u domain.UserID) bool {
	departed, err := r.store.Leave(context.Background(), id, s, u)
	assert.NoError(r.t, err)
	return departed
}

func (r rooms) drop(id domain.RoomID, s domain.SessionID, u domain.UserID, until time.Time) bool {
	dropped, err := r.store.Drop(context.Background(), id, s, u, until)
	assert.NoError(r.t, err)
	return dropped
}

func (r rooms) expire(id domain.RoomID, u domain.UserID, at time.Time) bool {
	departed, err := r.store.Expire(context.Background(), id, u, at)
	assert.NoError(r.t, err)
	return departed
}

// holds checks who is in the room.
func (r rooms) holds(id domain.RoomID, wantUsers []domain.UserID, wantSessions []domain.SessionID) {
	r.t.Helper()
	gotUsers, err := r.store.Members(context.Background(), id)
	require.NoError(r.t, err)
	assert.Equal(r.t, len(wantUsers), len(gotUsers))
	assert.ElementsMatch(r.t, wantUsers, gotUsers)
	gotSessions, err := r.store.Sessions(context.Background(), id)
	require.NoError(r.t, err)
	assert.ElementsMatch(r.t, wantSessions, gotSessions)
}

func users(ids ...domain.UserID) []domain.UserID { return ids }

func sessions(ids ...domain.SessionID) []domain.SessionID { return ids }

// inParallel calls f n times at once and waits for all.
func inParallel(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func trues(all []bool) int {
	n := 0
	for _, b := range all {
		if b {
			n++
		}
	}
	return n
}
