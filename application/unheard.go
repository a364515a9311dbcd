package application

import (
	"context"
	"sync"
	"time"

	"parley/domain"
)

const (
	// maxUnheard and maxUnheardBytes bound the events that are kept, maxUnheardHere those of one conversation.
	maxUnheard      = 200_000
	maxUnheardBytes = 64 << 20
	maxUnheardHere  = 1000
	// unheardCost is the memory that one event takes besides what it carries, in approximate bytes.
	unheardCost = 300
	// unheardMargin is how much longer than the window events are kept: a recovery that begins in time needs some.
	unheardMargin = 15 * time.Second
)

// unheard keeps, for sessions that dropped and may come back, the events that they would otherwise miss for good: those
// that are in no log and that nothing else repeats. When there are too many, the oldest are pushed out, and a session
// that has missed one of those cannot recover.
type unheard struct {
	// window is how long a session that dropped may come back; if it is 0, nothing is kept.
	window time.Duration

	mu sync.Mutex
	// last is the number of the newest event: events are numbered over all conversations, from 1. lost is the number
	// of the newest event that has left the queue: a session that dropped before it cannot recover.
	last, lost uint64
	bytes      int
	in         map[domain.ConversationID]*unheardHere
	// queue lists the events of all conversations, oldest first. An event that was pushed out of its conversation
	// stays in it, so that the conversation and its lost are remembered as long as somebody may have missed the event.
	queue []queued
	// away holds the users with sessions that dropped, and the time until which the last of these may come back.
	away map[domain.UserID]time.Time
}

type unheardHere struct {
	notes []note
	// queued is how many entries of the queue are the conversation's.
	queued int
	// lost is the number of the conversation's newest event that is not kept: a session that was in it and dropped
	// before that event cannot recover.
	lost uint64
}

type queued struct {
	conversation domain.ConversationID
	number       uint64
	at           time.Time
}

// note is an event that was sent between the message with the seq and the next one.
type note struct {
	number, seq uint64
	// user is the only user whom the event is for; "" if it is for everybody in the conversation.
	user  domain.UserID
	event domain.Event
	bytes int
}

// reports tells whether the event is the report on the message.
func (n note) reports(m domain.MessageID) bool {
	report, ok := n.event.(domain.MessageDelivered)
	return ok && report.Message == m
}

func newUnheard(window time.Duration) *unheard {
	return &unheard{
		window: window, in: map[domain.ConversationID]*unheardHere{}, away: map[domain.UserID]time.Time{},
	}
}

// noteDrop notes that a session of the user dropped.
func (u *unheard) noteDrop(user domain.UserID, now time.Time) {
	if u.window <= 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.away[user] = now.Add(u.window + unheardMargin)
}

// mayReturn reports whether a session of the user may come back.
func (u *unheard) mayReturn(user domain.UserID) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, away := u.away[user]
	return away
}

// mark returns the number of the newest event so far, for since. Under a conversation's lock, everything of that
// conversation up to the mark has been sent, and everything later has not.
func (u *unheard) mark() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last
}

// add keeps an event of the conversation. If failed is true, its place among the messages is not known: it counts as
// lost. The caller holds the conversation's lock.
func (u *unheard) add(c domain.ConversationID, n note, failed bool, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last++
	n.number, n.bytes = u.last, unheardCost+len(c)+eventSize(n.event)
	here := u.in[c]
	if here == nil {
		here = &unheardHere{}
		u.in[c] = here
	}
	here.queued++
	u.queue = append(u.queue, queued{c, n.number, now})
	if failed {
		here.lost = n.number
		return
	}
	here.notes = append(here.notes, n)
	u.bytes += n.bytes
	if len(here.notes) > maxUnheardHere {
		here.lost = here.notes[0].number
		u.dropOldest(here)
	}
	u.trim(now)
}

// prune forgets events and users for whom the time to come back is over at now.
func (u *unheard) prune(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.trim(now)
	for user, until := range u.away {
		if until.Before(now) {
			delete(u.away, user)
		}
	}
}

// trim drops the events that are too old from the queue, and the oldest ones while there are too many. The caller
// holds mu.
func (u *unheard) trim(now time.Time) {
	for len(u.queue) > 0 {
		oldest := u.queue[0]
		tooMuch := len(u.queue) > maxUnheard || u.bytes > maxUnheardBytes
		if !tooMuch && now.Sub(oldest.at) <= u.window+unheardMargin {
			return
		}
		u.lost = oldest.number
		u.queue[0] = queued{}
		u.queue = u.queue[1:]
		here := u.in[oldest.conversation]
		if len(here.notes) > 0 && here.notes[0].number == oldest.number {
			u.dropOldest(here)
		}
		if here.queued--; here.queued == 0 {
			delete(u.in, oldest.conversation)
		}
	}
	u.queue = nil
}

// dropOldest drops the oldest event that is kept for the conversation. The caller holds mu.
func (u *unheard) dropOldest(here *unheardHere) {
	u.bytes -= here.notes[0].bytes
	here.notes[0] = note{}
	here.notes = here.notes[1:]
}

// since returns the conversation's events for the user after the mark, in order; complete is false if some of them are
// no longer kept. The caller owns the slice.
func (u *unheard) since(c domain.ConversationID, user domain.UserID, mark uint64) (missed []note, complete bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	here := u.in[c]
	if u.lost > mark || here != nil && here.lost > mark {
		return nil, false
	}
	if here == nil {
		return nil, true
	}
	for _, n := range here.notes {
		if n.number > mark && (n.user == "" || n.user == user) {
			missed = append(missed, n)
		}
	}
	return missed, true
}

// eventSize is the size of what an event carries, in approximate bytes.
func eventSize(e domain.Event) int {
	switch e := e.(type) {
	case domain.Announced:
		return len(e.Name) + len(e.Data)
	case domain.ConversationUpdated:
		return len(e.Changes)
	case domain.MessageDelivered:
		return 16 * len(e.Pending)
	}
	return 0
}

// keepForDropped keeps an event for sessions that dropped. It was sent to the conversation's sessions, or only to the
// user's if user is not "". The caller holds the conversation's lock.
func (c *Chat) keepForDropped(conversation domain.ConversationID, user domain.UserID, e domain.Event) {
	if c.unheard.window <= 0 {
		return
	}
	ctx, cancel := cleanup(context.Background())
	defer cancel()
	at, err := c.log.Head(ctx, conversation)
	if err != nil {
		c.logger.Warn("an event was not kept for those who dropped", "conversation", conversation, "error", err)
	}
	c.unheard.add(conversation, note{seq: at.Seq, user: user, event: e}, err != nil, time.Now())
}
