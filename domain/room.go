package domain

import (
	"slices"
	"strings"
	"time"
)

// indexFrom is how many sessions a room has before it keeps an index of them. Most rooms hold two
// or three; looking through a few is as quick as a map, and the map would be most of such a room.
const indexFrom = 32

// Room is who hears one conversation: sessions, and the users they speak for. A user is a member
// from the first session that joins until the last one has left, and, when the last one dropped
// rather than left, until Expire: a user who comes back in between never went away.
type Room struct {
	// sessions is in order of joining until someone leaves. Slices handed out by Sessions are never
	// written again: shared says that the next change must copy first.
	sessions []SessionID
	shared   bool
	// index says where each session stands in sessions; nil while there are few.
	index map[SessionID]int
	// members is sorted by user, so that a join, which tells all members, does not sort them anew.
	members []member
	// grace holds, for each member without a session, when its time to come back is over.
	grace map[UserID]time.Time
}

// member is a user in the room; one with no session dropped and may come back.
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
	delete(r.grace, u)
	return !present
}

// Leave removes a session of the user for good and reports whether the user stopped being a member by it.
func (r *Room) Leave(s SessionID, u UserID) (departed bool) {
	if !r.remove(s) || !r.release(u) {
		return false
	}
	r.forget(u)
	return true
}

// Drop removes a session of the user that may come back: the user stays a member, without a session
// if it was the last. It reports whether the user now waits for Expire, until the time given.
func (r *Room) Drop(s SessionID, u UserID, until time.Time) (lingering bool) {
	if !r.remove(s) || !r.release(u) {
		return false
	}
	if r.grace == nil {
		r.grace = map[UserID]time.Time{}
	}
	r.grace[u] = until
	return true
}

// Expire ends the membership of a user who has no session left and whose time to come back is over
// at the time given, and reports whether it did. A user who came back and dropped again in between
// has a later time: what was started for the first drop does not end the second early.
func (r *Room) Expire(u UserID, at time.Time) (departed bool) {
	until, lingering := r.grace[u]
	if !lingering || until.After(at) {
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

// Sessions returns the room's sessions. The slice is a snapshot that nobody may write to.
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
	delete(r.grace, u)
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

func (r *Room) append(s SessionID) {
	r.own()
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

// own makes the slice of sessions writable.
func (r *Room) own() {
	if r.shared {
		r.sessions = append(make([]SessionID, 0, len(r.sessions)+1+len(r.sessions)/4), r.sessions...)
		r.shared = false
	}
}
