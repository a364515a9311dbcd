package sio

import (
	"maps"
	"slices"
	"sync"
)

// Rooms are groups of a namespace's sockets: see Namespace.Rooms. A socket may be in any number of rooms.
// A room comes into being with the first socket in it and vanishes with the last.
//
// A socket leaves its rooms when it is gone, after OnDisconnect was called. One that lost its connection
// and may recover stays in them meanwhile, so that it misses nothing.
//
// What is emitted to rooms comes in the same order to all sockets. Once Leave has returned, nothing that
// is emitted to the room later reaches the socket.
type Rooms struct {
	namespace *Namespace

	// mu is held while an event is enqueued, never over I/O or a call out.
	mu sync.Mutex
	// sockets are all of the namespace, with the names of the rooms that each is in; nil for none.
	sockets map[*Socket]map[string]struct{}
	byID    map[string]*Socket
	members map[string]map[*Socket]struct{}
}

// Rooms returns the namespace's rooms. The first call makes them and must be done before the server
// serves; a namespace without that call keeps no account of its sockets. What OfMatching returned has the
// rooms of all its namespaces: see Audience.In.
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

// Join puts the socket into the rooms, also before it is connected: if middleware then refuses it, it
// leaves them. It reports false, and does nothing, if the socket is gone or of another namespace.
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

// forget is called when the socket is gone.
func (r *Rooms) forget(s *Socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaveLocked(s, slices.Collect(maps.Keys(r.sockets[s])))
	delete(r.sockets, s)
	delete(r.byID, s.id)
}

// Of returns the rooms that the socket is in, sorted. In OnDisconnect they are those it was in.
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

// Names returns the rooms that have anybody in them, sorted.
func (r *Rooms) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.members))
}

// Find returns the socket of that id, or nil. It may be absent, to recover later.
func (r *Rooms) Find(id string) *Socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byID[id]
}
