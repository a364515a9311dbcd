package sio

import (
	"maps"
	"slices"
	"time"
)

// Audience selects sockets, each of them once. It is a value: its methods return a narrower selection and leave
// the receiver as it is. The selection is evaluated anew at each use.
type Audience struct {
	rooms *Rooms
	// everyone selects all sockets of the namespace; otherwise those in any room of to are selected.
	everyone   bool
	to, except []string
	without    []*Socket
	namespace  string
	volatile   bool
}

// All selects every socket of the namespace.
func (r *Rooms) All() Audience { return Audience{rooms: r, everyone: true} }

// To selects the sockets that are in any of the rooms.
func (r *Rooms) To(rooms ...string) Audience { return Audience{rooms: r, to: slices.Clone(rooms)} }

// Except leaves out the sockets that are in any of the rooms.
func (a Audience) Except(rooms ...string) Audience {
	a.except = slices.Concat(a.except, rooms)
	return a
}

// Without leaves out these sockets, such as the sender.
func (a Audience) Without(sockets ...*Socket) Audience {
	a.without = slices.Concat(a.without, sockets)
	return a
}

// In selects only the sockets in the namespace with the name. It is for rooms of OfMatching, which are shared by
// all namespaces that match.
func (a Audience) In(namespace string) Audience {
	a.namespace = namespace
	return a
}

// Volatile makes Emit's event one that may be dropped for a socket that reads too slowly.
func (a Audience) Volatile() Audience {
	a.volatile = true
	return a
}

// Emit sends an event, encoded once, or with OfMatching once per namespace. Absent sockets get it when they
// recover. It neither blocks nor does I/O. The error is that of encoding the arguments.
func (a Audience) Emit(event string, args ...any) error {
	for _, name := range a.namespaces() {
		p, err := prepare(name, event, a.rooms.namespace.recovers(), args)
		if err != nil {
			return err
		}
		if a.volatile {
			p = p.Volatile()
		}
		a.In(name).send(p)
	}
	return nil
}

func (a Audience) send(p Prepared) {
	a.rooms.mu.Lock()
	defer a.rooms.mu.Unlock()
	Multicast(a.each, p)
}

// Ask sends each connected socket an event that asks for an ack, as the function AskAll does.
func (a Audience) Ask(timeout time.Duration, answer func(*Socket, *Reply, error), event string, args ...any) error {
	for _, name := range a.namespaces() {
		if err := AskAll(name, slices.Values(a.In(name).Sockets()), timeout, answer, event, args...); err != nil {
			return err
		}
	}
	return nil
}

// Gather sends each connected socket an event that asks for an ack, and calls done once, when all have answered
// or failed to: see the function Gather. Sockets in several namespaces of OfMatching cannot be asked together:
// choose one namespace with In.
func (a Audience) Gather(timeout time.Duration, done func([]Answer), event string, args ...any) error {
	name := a.rooms.namespace.name
	if a.namespace != "" {
		name = a.namespace
	}
	return Gather(name, slices.Values(a.In(name).Sockets()), timeout, done, event, args...)
}

// Sockets returns the selected sockets that are connected, in no particular order.
func (a Audience) Sockets() []*Socket {
	return slices.DeleteFunc(a.members(), func(s *Socket) bool { return s.state.Load() != socketConnected })
}

// Join puts all of the sockets, absent ones included, into the rooms.
func (a Audience) Join(rooms ...string) {
	for _, s := range a.members() {
		a.rooms.Join(s, rooms...)
	}
}

// Leave takes all of the sockets, absent ones included, out of the rooms.
func (a Audience) Leave(rooms ...string) {
	for _, s := range a.members() {
		a.rooms.Leave(s, rooms...)
	}
}

// Disconnect takes all of the sockets, absent ones included, out of the namespace: see Socket.Disconnect.
func (a Audience) Disconnect() {
	for _, s := range a.members() {
		s.Disconnect()
	}
}

// members returns all of the sockets, absent ones included.
func (a Audience) members() []*Socket {
	a.rooms.mu.Lock()
	defer a.rooms.mu.Unlock()
	return slices.Collect(a.each)
}

// namespaces returns the names of the namespaces that the sockets are in.
func (a Audience) namespaces() []string {
	if a.namespace != "" {
		return []string{a.namespace}
	}
	if n := a.rooms.namespace; n.match == nil {
		return []string{n.name}
	}
	found := make(map[string]bool)
	for _, s := range a.members() {
		found[s.namespace.name] = true
	}
	return slices.Collect(maps.Keys(found))
}

// each is the sequence of the sockets. The caller holds the rooms' lock, and must not change them meanwhile.
func (a Audience) each(yield func(*Socket) bool) {
	if a.everyone {
		for s := range a.rooms.sockets {
			if a.takes(s) && !yield(s) {
				return
			}
		}
		return
	}
	for i, room := range a.to {
		for s := range a.rooms.members[room] {
			if !a.inAny(s, a.to[:i]) && a.takes(s) && !yield(s) {
				return
			}
		}
	}
}

// takes reports whether none of Except, Without and In leaves the socket out.
func (a *Audience) takes(s *Socket) bool {
	return (a.namespace == "" || a.namespace == s.namespace.name) && !a.inAny(s, a.except) && !slices.Contains(a.without, s)
}

func (a *Audience) inAny(s *Socket, rooms []string) bool {
	for _, room := range rooms {
		if a.rooms.hasLocked(s, room) {
			return true
		}
	}
	return false
}
