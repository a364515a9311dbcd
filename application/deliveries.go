package application

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/domain"
)

const (
	// maxTracked bounds the memory of all deliveries that are under way, maxTrackedHere of those in one
	// conversation, in bytes, about.
	maxTracked     = 128 << 20
	maxTrackedHere = maxTracked / 4
	// maxDeliveries bounds the deliveries that are under way in one conversation, all of which one
	// cumulative acknowledgment looks at.
	maxDeliveries = 1000
	// retryWhenTooMany is what a sender is told for whom one more would be too many.
	retryWhenTooMany = time.Second
)

// What things take beside the message, in bytes, about: a delivery with its timer, a user who is to
// confirm it, and one of them who has dropped.
const (
	deliveryCost = 600
	awaitedCost  = 17
	lateCost     = 64
)

// deliveryShards spreads the conversations over several locks: a retry looks for the sessions of
// everybody who is waited for, which may be thousands.
const deliveryShards = 64

// deliveries are the messages whose confirmation is awaited. Each has a timer as long as it is under way.
type deliveries struct {
	timers *timers
	// retry is what the timers call, without locks.
	retry func(domain.ConversationID, domain.DeliveryID)
	seed  maphash.Seed
	// count is how many are under way, for those who only want to know that there are none.
	count atomic.Int64
	// tracked is the memory that they take.
	tracked atomic.Int64
	shards  [deliveryShards]deliveryShard
}

// deliveryShard holds the deliveries of some conversations. Its lock is taken for moments and under the
// conversation's; under it those of timers and sessions may be taken.
type deliveryShard struct {
	mu   sync.Mutex
	last domain.DeliveryID
	byID map[domain.DeliveryID]*delivery
	in   map[domain.ConversationID]*tracking
}

// tracking is what is under way in one conversation.
type tracking struct {
	deliveries []*delivery
	bytes      int64
}

// delivery is one message on its way. Its shard's mu guards it until it is over; from then on it does not
// change.
type delivery struct {
	*domain.Delivery
	// tries is how often the message was sent to those who were there all the time.
	tries int
	// late is how often it was sent again to those who had dropped; who has an entry did.
	late  map[domain.UserID]int
	timer *timer
	bytes int64
}

func newDeliveries(timers *timers, retry func(domain.ConversationID, domain.DeliveryID)) *deliveries {
	d := &deliveries{timers: timers, retry: retry, seed: maphash.MakeSeed()}
	for i := range d.shards {
		d.shards[i].byID = map[domain.DeliveryID]*delivery{}
		d.shards[i].in = map[domain.ConversationID]*tracking{}
	}
	return d
}

// of returns the conversation's shard and its number, which is in the ids of its deliveries.
func (d *deliveries) of(c domain.ConversationID) (*deliveryShard, domain.DeliveryID) {
	n := maphash.String(d.seed, string(c)) % deliveryShards
	return &d.shards[n], domain.DeliveryID(n)
}

// size is what a delivery of the message to that many users takes.
func size(m domain.Draft, users int) int64 {
	return int64(deliveryCost + len(m.Content) + len(m.Metadata) + awaitedCost*users)
}

// check returns a CodeLimitExceeded error if one more delivery to that many users would be too many. A repeat of a
// message that is under way needs no other: the log will know it.
func (d *deliveries) check(m domain.Draft, users int) error {
	sh, _ := d.of(m.Conversation)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	bytes := size(m, users)
	here := sh.in[m.Conversation]
	if d.tracked.Load()+bytes <= maxTracked &&
		(here == nil || len(here.deliveries) < maxDeliveries && here.bytes+bytes <= maxTrackedHere) {
		return nil
	}
	if here != nil && slices.ContainsFunc(here.deliveries, func(one *delivery) bool {
		return one.Message.User == m.User && one.Message.ID == m.ID
	}) {
		return nil
	}
	refusal := domain.Errorf(domain.CodeLimitExceeded, "too many messages wait to be confirmed")
	refusal.RetryAfter = retryWhenTooMany
	return refusal
}

// open begins the delivery of an accepted message, which is looked after in a moment if there is nobody to
// confirm it.
func (d *deliveries) open(m domain.Message, members []domain.UserID) domain.DeliveryID {
	sh, n := d.of(m.Conversation)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.last++
	one := &delivery{Delivery: domain.NewDelivery(sh.last*deliveryShards+n, m, members), tries: 1}
	sh.byID[one.ID] = one
	here := sh.in[m.Conversation]
	if here == nil {
		here = &tracking{}
		sh.in[m.Conversation] = here
	}
	here.deliveries = append(here.deliveries, one)
	d.count.Add(1)
	d.grow(here, one, size(m.Draft, one.Expected()))
	wait := pauses[0]
	if one.Over() {
		wait = 0
	}
	d.lookAfter(one, wait)
	return one.ID
}

func (d *deliveries) grow(here *tracking, one *delivery, bytes int64) {
	one.bytes += bytes
	here.bytes += bytes
	d.tracked.Add(bytes)
}

// lookAfter sets the delivery's timer. The caller holds mu.
func (d *deliveries) lookAfter(one *delivery, wait time.Duration) {
	id, conversation := one.ID, one.Message.Conversation
	one.timer = d.timers.after(wait, func() { d.retry(conversation, id) })
}

// confirm notes that the user has got the message, and returns the delivery if it is over by that.
func (d *deliveries) confirm(id domain.DeliveryID, u domain.UserID) *delivery {
	sh := &d.shards[id%deliveryShards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	one := sh.byID[id]
	if one == nil || !one.Confirm(u) || !one.Over() {
		return nil
	}
	d.remove(sh, one)
	return one
}

// settle calls f for the deliveries in the conversation, and returns those that are over by that.
func (d *deliveries) settle(c domain.ConversationID, f func(*delivery)) (over []*delivery) {
	if d.count.Load() == 0 {
		return nil
	}
	sh, _ := d.of(c)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	here := sh.in[c]
	if here == nil {
		return nil
	}
	for _, one := range here.deliveries {
		if f(one); one.Over() {
			over = append(over, one)
		}
	}
	d.remove(sh, over...)
	return over
}

// awaiting returns the deliveries that wait for the user, by seq; nil if there are none.
func (d *deliveries) awaiting(c domain.ConversationID, u domain.UserID) (found map[uint64]domain.DeliveryID) {
	if d.count.Load() == 0 {
		return nil
	}
	sh, _ := d.of(c)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	here := sh.in[c]
	if here == nil {
		return nil
	}
	for _, one := range here.deliveries {
		if !one.Awaits(u) {
			continue
		}
		if found == nil {
			found = map[uint64]domain.DeliveryID{}
		}
		found[one.Message.Seq] = one.ID
	}
	return found
}

// overdue counts one more try of the delivery and returns the sessions that get it now: those of users who
// are waited for. Who was there at all tries is given up; so is, with giveUpAll, everybody. over says that
// nobody is waited for by that; otherwise the delivery is looked after again. one is nil if it was over
// before.
func (d *deliveries) overdue(
	id domain.DeliveryID, giveUpAll func(*delivery) bool, sessionsOf func(domain.UserID, uint64) []domain.SessionID,
) (to []domain.SessionID, one *delivery, over bool) {
	sh := &d.shards[id%deliveryShards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if one = sh.byID[id]; one == nil {
		return nil, nil, false
	}
	all := giveUpAll(one)
	dropped := len(one.late)
	for _, u := range one.Awaited() {
		sessions := sessionsOf(u, one.Message.Seq)
		if all || !one.tryAgain(u, len(sessions) > 0) {
			one.GiveUp(u)
			continue
		}
		to = append(to, sessions...)
	}
	if one.Over() {
		d.remove(sh, one)
		return to, one, true
	}
	d.grow(sh.in[one.Message.Conversation], one, int64(lateCost*(len(one.late)-dropped)))
	d.lookAfter(one, pauses[min(one.tries, maxTries-1)])
	one.tries++
	return to, one, false
}

// tryAgain counts a try for one user, and reports whether it is worth one, or the wait.
func (one *delivery) tryAgain(u domain.UserID, here bool) bool {
	late, dropped := one.late[u]
	switch {
	case !here && !dropped:
		if one.late == nil {
			one.late = map[domain.UserID]int{}
		}
		one.late[u] = 0
		return true
	case !here:
		return true
	case !dropped:
		return one.tries < maxTries
	}
	one.late[u] = late + 1
	return late < maxTries
}

// remove ends deliveries of one conversation. The caller holds mu.
func (d *deliveries) remove(sh *deliveryShard, over ...*delivery) {
	if len(over) == 0 {
		return
	}
	c := over[0].Message.Conversation
	here := sh.in[c]
	for _, one := range over {
		d.timers.stop(one.timer)
		delete(sh.byID, one.ID)
		here.bytes -= one.bytes
		d.tracked.Add(-one.bytes)
	}
	d.count.Add(int64(-len(over)))
	here.deliveries = slices.DeleteFunc(here.deliveries, func(one *delivery) bool {
		_, underWay := sh.byID[one.ID]
		return !underWay
	})
	if len(here.deliveries) == 0 {
		delete(sh.in, c)
	}
}

// conversations returns those with deliveries under way.
func (d *deliveries) conversations() (all []domain.ConversationID) {
	for i := range d.shards {
		sh := &d.shards[i]
		sh.mu.Lock()
		for c := range sh.in {
			all = append(all, c)
		}
		sh.mu.Unlock()
	}
	return all
}
