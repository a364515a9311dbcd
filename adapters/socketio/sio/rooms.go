package sio

import (
	"maps"
	"slices"
	"sync"
)

// Rooms are the rooms of a namespace: see Namespace.Rooms. A socket may be in any number of rooms. A room exists
// as long as there are sockets in it.
//
// A socket leaves its rooms when it is gone, after OnDisconnect was called. A socket that lost its connection and
// may recover stays in them, so that it misses nothing.
//
// All sockets get what is emitted to rooms in the same order. Once Leave has returned, nothing emitted to the
// room reaches the socket.
type Rooms struct {
	namespace *Namespace

	// mu is held while an event is enqueued, never over I/O or a call of the application's code.
	mu sync.Mutex
	// sockets are all sockets of the namespace, each with the names of its rooms; nil if it is in none.
	sockets map[*Socket]map[string]struct{}
	byID    map[string]*Socket
	members map[string]map[*Socket]struct{}
}

// Rooms returns the namespace's rooms. The first call creates them and must be made before the server serves; a
// namespace without that call keeps no list of its sockets. With OfMatching, all namespaces that match share
// their rooms: see Audience.In.
func (n *Namespace) Rooms() *Rooms {
	if n.rooms == nil {
		n.rooms = &Rooms{
			namespace: n,
			sockets:   make(map[*Socket]map[string]struct{}),
			byID:      make(map[string]*Socket),
			members:   make(map[string]map[*Socket]struct{}),
		}
	}
	return n.rooms
}

// Join puts the socket into the rooms. Middleware may call it before the socket is connected; if the socket is
// then refused, it leaves them. It reports false, and does nothing, if the socket is gone or belongs to another
// namespace.
func (r *Rooms) Join(s *Socket, rooms ...string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.joinLocked(s, rooms)
}

func (r *Rooms) joinLocked(s *Socket, rooms []string) bool {
	if s.namespace.rooms != r || s.state.Load() == socketGone {
		return false
	}
	r.byID[s.id] = s
	names := r.sockets[s]
	if names == nil && len(rooms) > 0 {
		names = make(map[string]struct{}, len(rooms))
	}
	r.sockets[s] = names
	for _, room := range rooms {
		names[room] = struct{}{}
		if r.members[room] == nil {
			r.members[room] = make(map[*Socket]struct{})
		}
		r.members[room][s] = struct{}{}
	}
	return true
}

// Leave takes the socket out of the rooms.
func (r *Rooms) Leave(s *Socket, rooms ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaveLocked(s, rooms)
}

func (r *Rooms) leaveLocked(s *Socket, rooms []string) {
	for _, room := range rooms {
		delete(r.sockets[s], room)
		delete(r.members[room], s)
		if len(r.members[room]) == 0 {
			delete(r.members, room)
		}
	}
}

// forget takes a socket that is gone out of everything.
func (r *Rooms) forget(s *Socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaveLocked(s, slices.Collect(maps.Keys(r.sockets[s])))
	delete(r.sockets, s)
	delete(r.byID, s.id)
}

// Of returns the rooms that the socket is in, sorted. It may still be called in OnDisconnect.
func (r *Rooms) Of(s *Socket) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.sockets[s]))
}

// Has reports whether the socket is in the room.
func (r *Rooms) Has(s *Socket, room string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hasLocked(s, room)
}

func (r *Rooms) hasLocked(s *Socket, room string) bool {
	_, in := r.members[room][s]
	return in
}

// Names returns the names of all rooms, sorted.
func (r *Rooms) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.members))
}

// Find returns the socket with the id, or nil. The socket may be absent and recover later.
func (r *Rooms) Find(id string) *Socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byID[id]
}
