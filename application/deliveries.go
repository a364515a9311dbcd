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
	// maxTracked bounds the memory of all deliveries that are under way, maxTrackedHere that of the deliveries
	// in one conversation, in approximate bytes.
	maxTracked     = 128 << 20
	maxTrackedHere = maxTracked / 4
	// maxDeliveries bounds the deliveries that are under way in one conversation: a cumulative acknowledgment
	// looks at all of them.
	maxDeliveries = 1000
	// retryWhenTooMany is how long a sender who is refused for these bounds is asked to wait.
	retryWhenTooMany = time.Second
)

// Approximate sizes in bytes, besides the message itself: of a delivery with its timer, of each user who is to
// confirm it, and of each of these users who has dropped.
const (
	deliveryCost = 600
	awaitedCost  = 17
	lateCost     = 64
)

// deliveryShards is the number of locks that conversations are spread over: a retry holds one while it looks up the
// sessions of everybody who is waited for, which may be thousands of users.
const deliveryShards = 64

// deliveries holds the messages that wait for confirmations. Each has a timer until it is over.
type deliveries struct {
	timers *timers
	// retry is what the timers call; no lock is held then.
	retry func(domain.ConversationID, domain.DeliveryID)
	seed  maphash.Seed
	// count is how many are under way. It is read without a lock, to see quickly that there are none.
	count atomic.Int64
	// tracked is their memory in approximate bytes.
	tracked atomic.Int64
	shards  [deliveryShards]deliveryShard
}

// deliveryShard holds the deliveries of some conversations. Its lock is held briefly. It may be taken under a
// conversation's lock, and the locks of sessions and timers may be taken under it.
type deliveryShard struct {
	mu   sync.Mutex
	last domain.DeliveryID
	byID map[domain.DeliveryID]*delivery
	in   map[domain.ConversationID]*tracking
}

// tracking holds the deliveries of one conversation, in order of seq.
type tracking struct {
	deliveries []*delivery
	bytes      int64
}

// delivery is a message that waits for confirmations. Its shard's mu guards it until it is over; after that it does
// not change.
type delivery struct {
	*domain.Delivery
	// tries is how often the message was sent to users who were connected all the time.
	tries int
	// late has an entry for each user who had no session to send the message to at some try. It counts how often
	// the message was sent to the user since.
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

// of returns the conversation's shard and the shard's number, which is part of the ids of its deliveries.
func (d *deliveries) of(c domain.ConversationID) (*deliveryShard, domain.DeliveryID) {
	n := maphash.String(d.seed, string(c)) % deliveryShards
	return &d.shards[n], domain.DeliveryID(n)
}

// deliverySize is the memory that a delivery of the message to that many users takes, in approximate bytes.
func deliverySize(m domain.Draft, users int) int64 {
	return int64(deliveryCost + len(m.Content) + len(m.Metadata) + awaitedCost*users)
}

// check returns a CodeLimitExceeded error if there is no room for a delivery of the message to that many users. The
// repeat of a message that is under way needs no room: the log will recognise it as a duplicate.
func (d *deliveries) check(m domain.Draft, users int) error {
	sh, _ := d.of(m.Conversation)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	bytes := deliverySize(m, users)
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

// open begins the delivery of an accepted message. If there is nobody to confirm it, the timer fires at once and
// ends it.
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
	d.grow(here, one, deliverySize(m.Draft, one.Expected()))
	wait := pauses[0]
	if one.Over() {
		wait = 0
	}
	d.setTimer(one, wait)
	return one.ID
}

// grow adds to the memory that the delivery takes. The caller holds mu.
func (d *deliveries) grow(here *tracking, one *delivery, bytes int64) {
	one.bytes += bytes
	here.bytes += bytes
	d.tracked.Add(bytes)
}

// setTimer sets the delivery's timer. The caller holds mu.
func (d *deliveries) setTimer(one *delivery, wait time.Duration) {
	id, conversation := one.ID, one.Message.Conversation
	one.timer = d.timers.after(wait, func() { d.retry(conversation, id) })
}

// confirm notes that the user has got the message, and returns the delivery if that ended it.
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

// settle calls f for each delivery in the conversation, under the shard's mu, and returns those that are over then.
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

// awaiting returns the deliveries in the conversation that wait for the user, by seq; nil if there are none.
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

// nextTry counts one more try of the delivery and returns the sessions to send the message to: those of the users who
// are still waited for. A user who was connected for all tries is given up; if giveUpAll says so, everybody is. over
// says that nobody is waited for any more; otherwise the timer is set again. one is nil if the delivery was over
// before. Both functions are called under the shard's mu.
func (d *deliveries) nextTry(
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
	d.setTimer(one, pauses[min(one.tries, maxTries-1)])
	one.tries++
	return to, one, false
}

// tryAgain counts a try for one user and reports whether to go on waiting for the user. here says that the user has a
// session to send the message to. A user without one is waited for in any case, and one who has come back gets as
// many tries as a user who was there from the start.
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

// remove forgets deliveries that are over, all of one conversation. The caller holds mu.
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

// conversations returns the conversations with deliveries under way.
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
