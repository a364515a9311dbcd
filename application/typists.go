package application

import (
	"sync"
	"sync/atomic"
	"time"

	"parley/domain"
)

// typist is a user in a conversation.
type typist struct {
	conversation domain.ConversationID
	user         domain.UserID
}

// typists are those who typed lately. Each entry has a timer and is forgotten a few seconds after its
// user was last heard, so there are at most as many as were heard in that time.
type typists struct {
	timers *timers
	// count is len(entries), for those who only want to know that there is nobody.
	count atomic.Int64

	mu      sync.Mutex
	entries map[typist]*typing
}

type typing struct {
	domain.Typing
	// from is the session that was heard last: it is not told of itself.
	from domain.SessionID
	// shown says that the others were told that the user types, all but unaware: who was told is told of its end,
	// whichever of the user's sessions ends it.
	shown   bool
	unaware domain.SessionID
	// timer calls at due.
	timer *timer
	due   time.Time
}

func newTypists(timers *timers) *typists {
	return &typists{timers: timers, entries: map[typist]*typing{}}
}

// hear notes what a session says.
func (t *typists) hear(who typist, from domain.SessionID, isTyping bool, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[who]
	if e == nil {
		e = &typing{}
		t.entries[who] = e
		t.count.Add(1)
	}
	e.from = from
	e.Hear(isTyping, now)
}

// except returns who is not told what the others are told now.
func (e *typing) except(isTyping bool) domain.SessionID {
	was := e.shown
	e.shown = isTyping
	switch {
	case !was:
		e.unaware = e.from
	case !isTyping:
		return e.unaware
	case e.unaware != e.from:
		e.unaware = ""
	}
	return e.from
}

// stop notes that the user has stopped, and reports whether the others are to be told so now. Then tell is to
// be called, too, as after hear.
func (t *typists) stop(who typist, now time.Time) (except domain.SessionID, tell bool) {
	if t.count.Load() == 0 {
		return "", false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[who]
	if e == nil || !e.Stop(now) {
		return "", false
	}
	return e.except(false), true
}

// tell returns what the others are to be told now, if anything. It is to be called again when it calls
// again. The caller holds the conversation's lock.
func (t *typists) tell(who typist, now time.Time, again func()) (isTyping bool, except domain.SessionID, tell bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[who]
	if e == nil {
		return false, "", false
	}
	if isTyping, tell = e.Tell(now); tell {
		except = e.except(isTyping)
	}
	next := e.Next(now)
	// A timer that is still to fire, and in time, looks again by itself.
	if next.IsZero() || !e.due.After(now) || e.due.After(next) {
		t.timers.stop(e.timer)
		e.timer = nil
		if !next.IsZero() {
			e.timer, e.due = t.timers.after(next.Sub(now), again), next
		}
	}
	if e.timer == nil {
		delete(t.entries, who)
		t.count.Add(-1)
	}
	return isTyping, except, tell
}

// forget drops what is known of the user.
func (t *typists) forget(conversation domain.ConversationID, user domain.UserID) {
	if t.count.Load() == 0 {
		return
	}
	who := typist{conversation, user}
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[who]
	if e == nil {
		return
	}
	t.timers.stop(e.timer)
	delete(t.entries, who)
	t.count.Add(-1)
}
