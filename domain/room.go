package domain

import (
	"slices"
	"strings"
	"time"
)

// indexFrom is the number of sessions from which on a room keeps an index of them. Most rooms hold two or three:
// searching a few is as quick as a map, and the map would be most of such a room's memory.
const indexFrom = 32

// Room is who hears one conversation: sessions, and the users they speak for. A user is a member from the join of
// their first session until the last one has left. A session that dropped, rather than left, may come back until
// Expire, and until then its user stays a member: a user who comes back in time never went away. Each Join of the
// user counts as the return of one session that dropped.
type Room struct {
	// sessions is in order of joining until someone leaves. Slices handed out by Sessions are never written to again:
	// shared says that the slice must be copied before a session is removed.
	sessions []SessionID
	shared   bool
	// index says where each session stands in sessions; nil while there are few.
	index map[SessionID]int
	// members is sorted by user, so that a join, which tells all members, does not sort them anew.
	members []member
	// absent holds the users with sessions that dropped and may come back; nil if there are none.
	absent map[UserID]absent
}

// absent is how many sessions of a user dropped, and until when they may come back.
type absent struct {
	sessions int
	until    time.Time
}

// member is a user in the room; one with no session is absent.
type member struct {
	user     UserID
	sessions int
}

// NewRoom returns a room with no one in it.
func NewRoom() *Room { return &Room{} }

// Join adds a session of the user and reports whether the user became a member by it. Joining twice
// changes nothing.
func (r *Room) Join(s SessionID, u UserID) (arrived bool) {
	if _, in := r.place(s); in {
		return false
	}
	r.append(s)
	at, present := r.member(u)
	if !present {
		r.members = slices.Insert(r.members, at, member{user: u})
	}
	r.members[at].sessions++
	r.returned(u)
	return !present
}

// returned notes that one of the user's dropped sessions has come back.
func (r *Room) returned(u UserID) {
	a, waited := r.absent[u]
	if a.sessions--; a.sessions > 0 {
		r.absent[u] = a
	} else if waited {
		delete(r.absent, u)
	}
}

// Leave removes a session of the user for good, and reports whether the user thereby stopped being a member. A user
// with another session that dropped and may come back stays a member until Expire.
func (r *Room) Leave(s SessionID, u UserID) (departed bool) {
	if !r.remove(s) || !r.release(u) {
		return false
	}
	if _, waited := r.absent[u]; waited {
		return false
	}
	r.forget(u)
	return true
}

// Drop removes a session of the user that may come back until the given time, and reports whether it was in the
// room. If it was, the caller must call Expire at that time.
func (r *Room) Drop(s SessionID, u UserID, until time.Time) (dropped bool) {
	if !r.remove(s) {
		return false
	}
	r.release(u)
	if r.absent == nil {
		r.absent = map[UserID]absent{}
	}
	a := r.absent[u]
	a.sessions++
	if until.After(a.until) {
		a.until = until
	}
	r.absent[u] = a
	return true
}

// Expire ends the wait for the user's dropped sessions if it is over at the given time, and reports whether the user
// thereby stopped being a member. A later Drop extends the wait, so an Expire due for the first drop does not end the
// wait for the second.
func (r *Room) Expire(u UserID, at time.Time) (departed bool) {
	a, waited := r.absent[u]
	if !waited || a.until.After(at) {
		return false
	}
	delete(r.absent, u)
	if place, present := r.member(u); !present || r.members[place].sessions > 0 {
		return false
	}
	r.forget(u)
	return true
}

// Members returns the room's users, sorted. The caller owns the slice.
func (r *Room) Members() []UserID {
	if len(r.members) == 0 {
		return nil
	}
	users := make([]UserID, len(r.members))
	for i, m := range r.members {
		users[i] = m.user
	}
	return users
}

// Sessions returns the room's sessions. The slice is a snapshot, which the caller must not write to.
func (r *Room) Sessions() []SessionID {
	r.shared = true
	return slices.Clip(r.sessions)
}

// Empty reports whether the room has neither sessions nor members.
func (r *Room) Empty() bool { return len(r.members) == 0 }

// member finds the user's place in members, or where it would stand.
func (r *Room) member(u UserID) (at int, present bool) {
	return slices.BinarySearchFunc(r.members, u, func(m member, u UserID) int {
		return strings.Compare(string(m.user), string(u))
	})
}

// release takes one session off the user's count and reports whether none is left.
func (r *Room) release(u UserID) bool {
	at, present := r.member(u)
	if !present || r.members[at].sessions == 0 {
		return false
	}
	r.members[at].sessions--
	return r.members[at].sessions == 0
}

// forget ends the membership of a user without sessions.
func (r *Room) forget(u UserID) {
	if at, present := r.member(u); present {
		r.members = slices.Delete(r.members, at, at+1)
	}
}

// place finds the session in sessions.
func (r *Room) place(s SessionID) (at int, in bool) {
	if r.index != nil {
		at, in = r.index[s]
		return at, in
	}
	at = slices.Index(r.sessions, s)
	return at, at >= 0
}

// append adds a session without copying, even if sessions was handed out: that slice ends before the new one.
func (r *Room) append(s SessionID) {
	r.sessions = append(r.sessions, s)
	if r.index != nil {
		r.index[s] = len(r.sessions) - 1
		return
	}
	if len(r.sessions) > indexFrom {
		r.index = make(map[SessionID]int, 2*indexFrom)
		for i, s := range r.sessions {
			r.index[s] = i
		}
	}
}

// remove takes the session out by moving the last one into its place.
func (r *Room) remove(s SessionID) bool {
	at, in := r.place(s)
	if !in {
		return false
	}
	r.own()
	last := len(r.sessions) - 1
	moved := r.sessions[last]
	r.sessions[at] = moved
	r.sessions[last] = ""
	r.sessions = r.sessions[:last]
	if r.index != nil {
		r.index[moved] = at
		delete(r.index, s)
	}
	return true
}

// own copies sessions if it was handed out, so that it may be written to.
func (r *Room) own() {
	if r.shared {
		r.sessions = append(make([]SessionID, 0, len(r.sessions)+1+len(r.sessions)/4), r.sessions...)
		r.shared = false
	}
}
