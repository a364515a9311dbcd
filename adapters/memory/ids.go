package memory

import (
	"time"

	"parley/domain"
	"parley/ports"
)

// id is what makes a send idempotent inside its conversation.
type id struct {
	user    domain.UserID
	message domain.MessageID
}

// accepted is what is remembered of a message so that repeats can be answered. It outlives the message, which may be
// trimmed long before the window is over.
type accepted struct {
	seq uint64
	at  time.Time
}

// ids remembers the ids of a conversation for ports.DuplicateWindow. It holds two generations. New ids go into the
// younger one; when that has been open for the window, all ids in the older one have expired, and it is dropped as a
// whole. So forgetting costs no work per id, and no map keeps the size of its busiest hour.
type ids struct {
	young, old           map[id]accepted
	youngBytes, oldBytes int
	// since is when young was opened: no id in old was added later.
	since time.Time
}

// find returns what was accepted under the id in the window before now.
func (i *ids) find(key id, now time.Time) (accepted, bool) {
	a, found := i.young[key]
	if !found {
		a, found = i.old[key]
	}
	return a, found && now.Sub(a.at) <= ports.DuplicateWindow
}

func (i *ids) add(key id, a accepted) {
	i.expire(a.at)
	if i.young == nil {
		i.young = map[id]accepted{}
	}
	i.young[key] = a
	i.youngBytes += idCost + len(key.user) + len(key.message)
}

// expire drops the older generation if the younger has been open for the window.
func (i *ids) expire(now time.Time) {
	if now.Sub(i.since) <= ports.DuplicateWindow {
		return
	}
	i.old, i.oldBytes = i.young, i.youngBytes
	i.young, i.youngBytes = nil, 0
	i.since = now
}

// size returns roughly how many bytes of memory the ids take.
func (i *ids) size() int { return i.youngBytes + i.oldBytes }
