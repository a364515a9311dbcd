package application

import (
	"hash/maphash"
	"sync"

	"parley/domain"
)

// stripes is a power of two, well above the number of conversations that are busy at one instant.
const stripes = 1024

// locks gives each conversation a lock, by hashing its id onto a fixed set. A lock per conversation would have to be
// made on first use and removed when nobody holds it or waits for it: that is where such maps leak, or hand out two
// locks for one conversation. The fixed set takes 8 KiB; in exchange, two busy conversations may now and then wait for
// each other, for microseconds.
//
// The seed is random, so that nobody can choose conversation ids that share a lock with another conversation.
// Two conversations may have the same lock, so a goroutine that holds one must never take a second.
type locks struct {
	seed    maphash.Seed
	stripes [stripes]sync.Mutex
}

func newLocks() *locks { return &locks{seed: maphash.MakeSeed()} }

// wait returns when every lock that is held at the time of the call has been released.
func (l *locks) wait() {
	for i := range l.stripes {
		l.stripes[i].Lock()
		l.stripes[i].Unlock() //nolint:staticcheck // nothing is to be done in between
	}
}

// of returns the conversation's lock. The log and the room store are called under it: stores in memory do not block,
// and a remote store must set its own time limit on each call.
func (l *locks) of(c domain.ConversationID) *sync.Mutex {
	return &l.stripes[maphash.String(l.seed, string(c))%stripes]
}

// underLock calls f under the conversation's lock, and releases the lock even if f panics.
func (c *Chat) underLock(conversation domain.ConversationID, f func() error) error {
	lock := c.locks.of(conversation)
	lock.Lock()
	defer lock.Unlock()
	return f()
}

// inEach calls f for each conversation in turn, under its lock. A failure in one does not stop the others. No caller
// waits for the result, so the failures are logged, in one line.
func (c *Chat) inEach(
	conversations []domain.ConversationID, failure string, user domain.UserID, f func(domain.ConversationID) error,
) {
	var failed int
	var last error
	for _, conversation := range conversations {
		if err := c.underLock(conversation, func() error { return f(conversation) }); err != nil {
			failed, last = failed+1, err
		}
	}
	if failed > 0 {
		c.logger.Warn(failure, "user", user, "conversations", failed, "error", last)
	}
}
