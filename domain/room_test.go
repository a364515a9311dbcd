package domain_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestRoom(t *testing.T) {
	t.Run("a user is a member from its first session to its last", func(t *testing.T) {
		r := domain.NewRoom()
		assert.True(t, r.Empty())
		assert.True(t, r.Join("s1", "ann"))
		assert.False(t, r.Join("s2", "ann"))
		assert.False(t, r.Leave("s1", "ann"))
		assert.Equal(t, []domain.UserID{"ann"}, r.Members())
		assert.True(t, r.Leave("s2", "ann"))
		assert.True(t, r.Empty())
	})
	t.Run("joining twice is joining once", func(t *testing.T) {
		r := domain.NewRoom()
		r.Join("s1", "ann")
		assert.False(t, r.Join("s1", "ann"))
		assert.Equal(t, []domain.SessionID{"s1"}, r.Sessions())
		assert.True(t, r.Leave("s1", "ann"))
	})
	t.Run("who dropped lingers until the time is over", func(t *testing.T) {
		r := domain.NewRoom()
		r.Join("s1", "ann")
		assert.True(t, r.Drop("s1", "ann", noon))
		assert.False(t, r.Empty())
		assert.Empty(t, r.Sessions())
		assert.False(t, r.Expire("ann", noon.Add(-1)))
		assert.True(t, r.Expire("ann", noon))
		assert.True(t, r.Empty())
		assert.False(t, r.Expire("ann", noon))
	})
	t.Run("who comes back has not arrived, and does not expire", func(t *testing.T) {
		r := domain.NewRoom()
		r.Join("s1", "ann")
		r.Drop("s1", "ann", noon)
		assert.False(t, r.Join("s2", "ann"))
		assert.False(t, r.Expire("ann", noon.Add(time.Hour)))
	})
	t.Run("who leaves while another of its sessions may come back stays until that is over", func(t *testing.T) {
		r := domain.NewRoom()
		r.Join("s1", "ann")
		r.Join("s2", "ann")
		assert.True(t, r.Drop("s1", "ann", noon))
		assert.False(t, r.Leave("s2", "ann"))
		assert.Equal(t, []domain.UserID{"ann"}, r.Members())
		assert.True(t, r.Expire("ann", noon))
		assert.True(t, r.Empty())
	})
	t.Run("one return makes up for one drop", func(t *testing.T) {
		r := domain.NewRoom()
		r.Join("s1", "ann")
		r.Join("s2", "ann")
		r.Drop("s1", "ann", noon)
		r.Drop("s2", "ann", noon)
		r.Join("s3", "ann")
		assert.False(t, r.Leave("s3", "ann"), "one may still come back")
		assert.False(t, r.Join("s4", "ann"))
		assert.True(t, r.Leave("s4", "ann"), "both came back")
	})
	t.Run("a wait that ends while the user is there ends nothing else", func(t *testing.T) {
		r := domain.NewRoom()
		r.Join("s1", "ann")
		r.Join("s2", "ann")
		r.Drop("s1", "ann", noon)
		assert.False(t, r.Expire("ann", noon))
		assert.True(t, r.Leave("s2", "ann"))
	})
	t.Run("a second drop has its own time", func(t *testing.T) {
		r := domain.NewRoom()
		r.Join("s1", "ann")
		r.Drop("s1", "ann", noon)
		r.Join("s1", "ann")
		r.Drop("s1", "ann", noon.Add(time.Second))
		assert.False(t, r.Expire("ann", noon))
		assert.True(t, r.Expire("ann", noon.Add(time.Second)))
	})
	t.Run("strangers change nothing", func(t *testing.T) {
		r := domain.NewRoom()
		r.Join("s1", "ann")
		assert.False(t, r.Leave("s9", "ann"))
		assert.False(t, r.Leave("s9", "eve"))
		assert.False(t, r.Drop("s9", "eve", noon))
		assert.False(t, r.Expire("eve", noon))
		assert.False(t, r.Expire("ann", noon))
		assert.Equal(t, []domain.UserID{"ann"}, r.Members())
		assert.Equal(t, []domain.SessionID{"s1"}, r.Sessions())
	})
	t.Run("appending to a snapshot does not reach the room", func(t *testing.T) {
		r := domain.NewRoom()
		for i := range 5 {
			r.Join(domain.SessionID(fmt.Sprint("s", i)), "ann")
		}
		first, second := r.Sessions(), r.Sessions()
		first = append(first, "mine")
		second = append(second, "other")
		assert.Equal(t, domain.SessionID("mine"), first[5])
		assert.Equal(t, domain.SessionID("other"), second[5])
		assert.Len(t, r.Sessions(), 5)
	})
}

// TestRoom_model plays random histories, with few and with many sessions, against plain maps.
func TestRoom_model(t *testing.T) {
	for _, size := range []int{3, 30, 300} {
		t.Run(fmt.Sprintf("with about %d sessions", size), func(t *testing.T) {
			random := rand.New(rand.NewPCG(11, uint64(size)))
			r := domain.NewRoom()
			model := roomModel{
				sessions: map[domain.SessionID]domain.UserID{}, absent: map[domain.UserID]int{}, until: map[domain.UserID]time.Time{},
			}
			var snapshot, kept []domain.SessionID
			for step := range 3000 {
				n := random.IntN(2 * size)
				s, u := domain.SessionID(fmt.Sprint("s", n)), domain.UserID(fmt.Sprint("u", n/3))
				at := noon.Add(time.Duration(step+random.IntN(100)) * time.Second)
				switch random.IntN(6) {
				case 0, 1:
					require.Equal(t, model.join(s, u), r.Join(s, u))
				case 2:
					require.Equal(t, model.leave(s, u), r.Leave(s, u))
				case 3:
					require.Equal(t, model.drop(s, u, at), r.Drop(s, u, at))
				case 4:
					require.Equal(t, model.expire(u, at), r.Expire(u, at))
				default:
					require.Equal(t, kept, snapshot, "a later change shows in a snapshot")
					snapshot = r.Sessions()
					kept = slices.Clone(snapshot)
				}
				require.Equal(t, len(model.members()) == 0, r.Empty())
				if step%10 == 0 {
					require.Equal(t, slices.Sorted(maps.Keys(model.sessions)), slices.Sorted(slices.Values(r.Sessions())))
					require.Equal(t, model.members(), r.Members())
				}
			}
		})
	}
}

type roomModel struct {
	sessions map[domain.SessionID]domain.UserID
	// absent counts the sessions that dropped and have not come back; until is the latest of their times.
	absent map[domain.UserID]int
	until  map[domain.UserID]time.Time
}

func (m roomModel) present(u domain.UserID) bool {
	if m.absent[u] > 0 {
		return true
	}
	for _, of := range m.sessions {
		if of == u {
			return true
		}
	}
	return false
}

func (m roomModel) join(s domain.SessionID, u domain.UserID) bool {
	if _, in := m.sessions[s]; in {
		return false
	}
	arrived := !m.present(u)
	m.sessions[s] = u
	if m.absent[u] > 0 {
		m.absent[u]--
	}
	return arrived
}

func (m roomModel) leave(s domain.SessionID, u domain.UserID) bool {
	if _, in := m.sessions[s]; !in {
		return false
	}
	delete(m.sessions, s)
	return !m.present(u)
}

func (m roomModel) drop(s domain.SessionID, u domain.UserID, until time.Time) bool {
	if _, in := m.sessions[s]; !in {
		return false
	}
	delete(m.sessions, s)
	if m.absent[u] == 0 || until.After(m.until[u]) {
		m.until[u] = until
	}
	m.absent[u]++
	return true
}

func (m roomModel) expire(u domain.UserID, at time.Time) bool {
	if m.absent[u] == 0 || m.until[u].After(at) {
		return false
	}
	delete(m.absent, u)
	return !m.present(u)
}

func (m roomModel) members() []domain.UserID {
	users := map[domain.UserID]bool{}
	for _, u := range m.sessions {
		users[u] = true
	}
	for u, n := range m.absent {
		if n > 0 {
			users[u] = true
		}
	}
	if len(users) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(users))
}
