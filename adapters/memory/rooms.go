package memory

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"parley/domain"
	"parley/ports"
)

// roomShards spreads the rooms over several locks, so that calls for different rooms rarely wait for each other. Each
// takes about a microsecond.
const roomShards = 64

// Rooms holds who is in which room.
type Rooms struct {
	seed   maphash.Seed
	shards [roomShards]roomShard
}

type roomShard struct {
	mu    sync.Mutex
	rooms map[domain.RoomID]*domain.Room
}

var _ ports.RoomStore = (*Rooms)(nil)

// NewRooms returns a store without rooms.
func NewRooms() *Rooms {
	r := &Rooms{seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].rooms = map[domain.RoomID]*domain.Room{}
	}
	return r
}

// Join adds a session to the room, and creates the room if there is none.
func (r *Rooms) Join(_ context.Context, id domain.RoomID, s domain.SessionID, u domain.UserID) (arrived bool, err error) {
	sh := r.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	room, found := sh.rooms[id]
	if !found {
		room = domain.NewRoom()
		sh.rooms[id] = room
	}
	return room.Join(s, u), nil
}

// Leave removes a session for good.
func (r *Rooms) Leave(_ context.Context, id domain.RoomID, s domain.SessionID, u domain.UserID) (departed bool, err error) {
	r.change(id, func(room *domain.Room) { departed = room.Leave(s, u) })
	return departed, nil
}

// Drop removes a session that may come back until the time given.
func (r *Rooms) Drop(
	_ context.Context, id domain.RoomID, s domain.SessionID, u domain.UserID, until time.Time,
) (dropped bool, err error) {
	r.change(id, func(room *domain.Room) { dropped = room.Drop(s, u, until) })
	return dropped, nil
}

// Expire ends the wait for a user whose time to come back is over.
func (r *Rooms) Expire(_ context.Context, id domain.RoomID, u domain.UserID, at time.Time) (departed bool, err error) {
	r.change(id, func(room *domain.Room) { departed = room.Expire(u, at) })
	return departed, nil
}

// Members returns the room's users, sorted.
func (r *Rooms) Members(_ context.Context, id domain.RoomID) (users []domain.UserID, err error) {
	r.change(id, func(room *domain.Room) { users = room.Members() })
	return users, nil
}

// Sessions returns a snapshot of the room's sessions.
func (r *Rooms) Sessions(_ context.Context, id domain.RoomID) (sessions []domain.SessionID, err error) {
	r.change(id, func(room *domain.Room) { sessions = room.Sessions() })
	return sessions, nil
}

// Rooms returns up to limit names greater than after, sorted. It looks at all rooms, one shard at a time.
func (r *Rooms) Rooms(_ context.Context, after domain.RoomID, limit int) ([]domain.RoomID, error) {
	limit = max(limit, 0)
	var found []domain.RoomID
	for i := range r.shards {
		found = r.shards[i].collect(found, after)
		// Keep memory bounded: only the first limit names will be returned.
		if len(found) > 2*limit {
			slices.Sort(found)
			found = found[:limit]
		}
	}
	slices.Sort(found)
	return found[:min(limit, len(found))], nil
}

// collect adds the names greater than after.
func (s *roomShard) collect(names []domain.RoomID, after domain.RoomID) []domain.RoomID {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.rooms {
		if id > after {
			names = append(names, id)
		}
	}
	return names
}

// InUse reports whether the conversation has a member; see LogConfig.InUse.
func (r *Rooms) InUse(c domain.ConversationID) (inUse bool) {
	r.change(c.Room(), func(*domain.Room) { inUse = true })
	return inUse
}

// change calls f with the room, if there is one, and forgets the room if it is empty then. Readers use it, too, because
// a room notes that its sessions were handed out.
func (r *Rooms) change(id domain.RoomID, f func(*domain.Room)) {
	sh := r.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	room, found := sh.rooms[id]
	if !found {
		return
	}
	f(room)
	if room.Empty() {
		delete(sh.rooms, id)
	}
}

func (r *Rooms) shard(id domain.RoomID) *roomShard {
	return &r.shards[maphash.String(r.seed, string(id))%roomShards]
}
