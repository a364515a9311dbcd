package application

import (
	"hash/maphash"
	"sync"

	"parley/domain"
)

// stripes is a power of two, well above the number of conversations that are busy at one instant.
const stripes = 1024

// locks gives each conversation a lock by hashing it onto a fixed set. A lock per conversation would
// need a life of its own: made on first use and removed when nobody holds or waits for it, which is
// where such maps leak or hand out two locks for one conversation. A fixed set costs 8 KiB for ever;
// the price is that two busy conversations may now and then wait for each other, for microseconds.
//
// The seed is random, so that nobody can choose conversation ids that share a lock with another's.
// Two conversations may have the same lock, so a goroutine that holds one must never take a second.
type locks struct {
	seed    maphash.Seed
	stripes [stripes]sync.Mutex
}

func newLocks() *locks { return &locks{seed: maphash.MakeSeed()} }

// wait returns when everybody who holds a lock now has given it back.
func (l *locks) wait() {
	for i := range l.stripes {
		l.stripes[i].Lock()
		l.stripes[i].Unlock() //nolint:staticcheck // nothing is to be done in between
	}
}

// of returns the conversation's lock. Under it the log and the room store are called: stores in
// memory do not block, and a remote one must bound its calls by its own time limit.
func (l *locks) of(c domain.ConversationID) *sync.Mutex {
	return &l.stripes[maphash.String(l.seed, string(c))%stripes]
}
