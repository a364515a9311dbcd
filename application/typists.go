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

// typists holds the users who typed recently. Each entry has a timer and is forgotten a few seconds after its user was
// last heard, so there are at most as many entries as users heard in that time.
type typists struct {
	timers *timers
	// count is len(entries). It is read without mu, to see quickly that there are none.
	count atomic.Int64

	mu      sync.Mutex
	entries map[typist]*typing
}

type typing struct {
	domain.Typing
	// from is the session that was heard last: it is not told about itself.
	from domain.SessionID
	// shown says that the others were told that the user is typing. unaware is the session that was not told, "" if
	// all were. Whoever was told is also told of the end, whichever of the user's sessions ends it.
	shown   bool
	unaware domain.SessionID
	// timer fires at due.
	timer *timer
	due   time.Time
}

func newTypists(timers *timers) *typists {
	return &typists{timers: timers, entries: map[typist]*typing{}}
}

// hear notes what a session of the user says. tell is to be called next.
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

// except notes that the others are told isTyping now, and returns the session that is not told.
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

// stop notes that the user has stopped, and reports whether the others, but for except, are to be told so now. If so,
// tell is to be called next, as after hear.
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

// tell returns what the others, but for except, are to be told now, if anything. It sets a timer that calls again, on
// which tell is to be called once more. The caller holds the conversation's lock.
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
	t.setTimer(e, now, again)
	if e.timer == nil {
		delete(t.entries, who)
		t.count.Add(-1)
	}
	return isTyping, except, tell
}

// setTimer makes again be called when there may be something to tell. It leaves the entry without a timer if nothing
// is to come, or after Close. The caller holds mu.
func (t *typists) setTimer(e *typing, now time.Time, again func()) {
	next := e.Next(now)
	if !next.IsZero() && e.due.After(now) && !e.due.After(next) {
		return // the timer that is set fires in time, and tell sets the next one
	}
	t.timers.stop(e.timer)
	e.timer = nil
	if !next.IsZero() {
		e.timer, e.due = t.timers.after(next.Sub(now), again), next
	}
}

// forget removes the user's entry and tells nobody.
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
