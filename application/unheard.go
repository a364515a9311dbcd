package application

import (
	"context"
	"sync"
	"time"

	"parley/domain"
)

const (
	// maxUnheard and maxUnheardBytes bound what is kept, maxUnheardHere what is of it of one conversation.
	maxUnheard      = 200_000
	maxUnheardBytes = 64 << 20
	maxUnheardHere  = 1000
	// unheardCost is what one event takes beside what it carries, in bytes, about.
	unheardCost = 300
	// unheardMargin is how much longer than the window a recovery may take.
	unheardMargin = 15 * time.Second
)

// unheard keeps events that are in no log, and that nothing else tells, for sessions that dropped and may
// come back: those would hear of them neither live nor from the log. Too many push out the oldest; who
// has missed one of those does not recover.
type unheard struct {
	// window is how long sessions may come back; 0: they may not, and nothing is kept.
	window time.Duration

	mu sync.Mutex
	// last is the number of the newest event, lost of the newest that is kept no more, of any conversation:
	// nobody who dropped before it recovers.
	last, lost uint64
	bytes      int
	in         map[domain.ConversationID]*unheardHere
	// queue is of all conversations, in order. What was pushed out of its conversation is still in it, so
	// that the conversation is remembered as long as somebody may miss it.
	queue []queued
	// away are the users with sessions that dropped, and until when one may come back.
	away map[domain.UserID]time.Time
}

type unheardHere struct {
	notes []note
	// queued is how often the conversation stands in the queue, lost is as that of all.
	queued int
	lost   uint64
}

type queued struct {
	conversation domain.ConversationID
	number       uint64
	at           time.Time
}

// note is an event that was told between the message with the seq and the next.
type note struct {
	number, seq uint64
	// user is the only one that it is for; "" if it is for all.
	user  domain.UserID
	event domain.Event
	bytes int
}

// reports says that the event is the report of that message of the conversation.
func (n note) reports(m domain.MessageID) bool {
	report, ok := n.event.(domain.MessageDelivered)
	return ok && report.Message == m
}

func newUnheard(window time.Duration) *unheard {
	return &unheard{
		window: window, in: map[domain.ConversationID]*unheardHere{}, away: map[domain.UserID]time.Time{},
	}
}

// drop notes that a session of the user dropped.
func (u *unheard) drop(user domain.UserID, now time.Time) {
	if u.window <= 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.away[user] = now.Add(u.window + unheardMargin)
}

// misses reports whether a session of the user may come back.
func (u *unheard) misses(user domain.UserID) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, away := u.away[user]
	return away
}

// mark is up to where all was told until now. Of one conversation that holds under its lock.
func (u *unheard) mark() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last
}

// add keeps an event of the conversation, whose lock the caller holds. failed: its place is not known.
func (u *unheard) add(c domain.ConversationID, n note, failed bool, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last++
	n.number, n.bytes = u.last, unheardCost+len(c)+weight(n.event)
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
		u.shift(here)
	}
	u.trim(now)
}

// prune forgets what nobody can miss any more.
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

// trim drops from the queue what is over its time, and the oldest of what is too much. The caller holds mu.
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
			u.shift(here)
		}
		if here.queued--; here.queued == 0 {
			delete(u.in, oldest.conversation)
		}
	}
	u.queue = nil
}

// shift drops the conversation's oldest event. The caller holds mu.
func (u *unheard) shift(here *unheardHere) {
	u.bytes -= here.notes[0].bytes
	here.notes[0] = note{}
	here.notes = here.notes[1:]
}

// since returns what the user was not told of the conversation since the mark; complete is false if some
// of it was pushed out. The caller owns the slice.
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

// weight is what an event carries, in bytes, about.
func weight(e domain.Event) int {
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

// keep keeps an event that was told to the conversation's sessions, or to the user's, for those who dropped.
// The caller holds the conversation's lock.
func (c *Chat) keep(conversation domain.ConversationID, user domain.UserID, e domain.Event) {
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
