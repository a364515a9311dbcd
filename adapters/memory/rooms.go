package memory

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"parley/domain"
	"parley/ports"
)

// roomShards spreads the rooms over several locks. The calls for one room meet in one lock anyway,
// and each takes about a microsecond; this is for the many rooms that have nothing to do with each other.
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

// Join adds a session to the room, which it makes if there is none.
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
) (lingering bool, err error) {
	r.change(id, func(room *domain.Room) { lingering = room.Drop(s, u, until) })
	return lingering, nil
}

// Expire ends the membership of a user whose time to come back is over.
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

// InUse reports whether the conversation has a member; see LogConfig.InUse.
func (r *Rooms) InUse(c domain.ConversationID) (inUse bool) {
	r.change(c.Room(), func(*domain.Room) { inUse = true })
	return inUse
}

// change calls f with the room, if there is one, and forgets the room if it is empty then. Reading
// takes the same way: a room notes that its sessions were handed out.
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
