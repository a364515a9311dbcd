package portstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/domain"
	"parley/ports"
)

func testDrop(t *testing.T, open func(t *testing.T) ports.RoomStore) {
	t.Run("the user stays a member until Expire after the last session dropped", func(t *testing.T) {
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
	t.Run("a user who comes back in the grace time has not arrived and does not expire", func(t *testing.T) {
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
	t.Run("an expiry while the user has a session ends only the wait", func(t *testing.T) {
		r := rooms{t, open(t)}
		r.join(room, "s1", "ann")
		r.join(room, "s2", "ann")
		r.drop(room, "s1", "ann", start)
		assert.False(t, r.expire(room, "ann", start))
		r.holds(room, users("ann"), sessions("s2"))
		assert.True(t, r.leave(room, "s2", "ann"))
	})
	t.Run("an expiry is of one user in one room", func(t *testing.T) {
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
