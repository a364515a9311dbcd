package application

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/domain"
)

const (
	// maxAwaited bounds the confirmations that are awaited, of all messages together. One takes some 16
	// bytes.
	maxAwaited = 1 << 20
	// maxDeliveries bounds the deliveries that are under way in one conversation, all of which one
	// cumulative acknowledgment looks at.
	maxDeliveries = 1000
	// retryWhenTooMany is what a sender is told for whom one more would be too many.
	retryWhenTooMany = time.Second
)

// deliveries are the messages whose confirmation is awaited. Its lock is taken for moments and under the
// conversation's.
type deliveries struct {
	// count is how many are under way, for those who only want to know that there are none.
	count atomic.Int64

	mu     sync.Mutex
	last   domain.DeliveryID
	byID   map[domain.DeliveryID]*delivery
	in     map[domain.ConversationID][]*delivery
	expect int
}

// delivery is one message on its way. deliveries.mu guards it.
type delivery struct {
	*domain.Delivery
	// tries is how often the message was sent to those who were there all the time.
	tries int
	// late is how often it was sent again to those who had dropped; who has an entry did.
	late map[domain.UserID]int
}

func newDeliveries() *deliveries {
	return &deliveries{byID: map[domain.DeliveryID]*delivery{}, in: map[domain.ConversationID][]*delivery{}}
}

// check returns a CodeLimitExceeded error if one more delivery with that many users would be too many.
func (d *deliveries) check(c domain.ConversationID, users int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.expect+users <= maxAwaited && len(d.in[c]) < maxDeliveries {
		return nil
	}
	refusal := domain.Errorf(domain.CodeLimitExceeded, "too many messages wait to be confirmed")
	refusal.RetryAfter = retryWhenTooMany
	return refusal
}

// open begins the delivery of an accepted message.
func (d *deliveries) open(m domain.Message, members []domain.UserID) *delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last++
	one := &delivery{Delivery: domain.NewDelivery(d.last, m, members), tries: 1}
	d.byID[one.ID] = one
	d.in[m.Conversation] = append(d.in[m.Conversation], one)
	d.expect += one.Expected()
	d.count.Add(1)
	return one
}

// confirm notes that the user has got the message, and returns the delivery if it is over by that.
func (d *deliveries) confirm(id domain.DeliveryID, u domain.UserID) *delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.byID[id]
	if one == nil || !one.Confirm(u) || !one.Over() {
		return nil
	}
	d.remove(one)
	return one
}

// each calls f for the deliveries in the conversation, and returns those that are over by that.
func (d *deliveries) each(c domain.ConversationID, f func(*delivery)) (over []*delivery) {
	if d.count.Load() == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.in[c] {
		f(one)
		if one.Over() {
			over = append(over, one)
		}
	}
	for _, one := range over {
		d.remove(one)
	}
	return over
}

// awaiting returns the deliveries that wait for the user, by seq.
func (d *deliveries) awaiting(c domain.ConversationID, u domain.UserID) map[uint64]domain.DeliveryID {
	found := map[uint64]domain.DeliveryID{}
	d.each(c, func(one *delivery) {
		if one.Awaits(u) {
			found[one.Message.Seq] = one.ID
		}
	})
	return found
}

// overdue counts one more try of the delivery and returns the sessions that get it now: those of users who
// are waited for. Who was there at all tries is given up; so is, from deadline on, everybody. over says that
// nobody is waited for by that.
func (d *deliveries) overdue(
	id domain.DeliveryID, giveUpAll bool, sessionsOf func(domain.UserID) []domain.SessionID,
) (to []domain.SessionID, one *delivery, over bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if one = d.byID[id]; one == nil {
		return nil, nil, false
	}
	for _, u := range one.Awaited() {
		sessions := sessionsOf(u)
		if giveUpAll || !one.tryAgain(u, len(sessions) > 0) {
			one.GiveUp(u)
			continue
		}
		to = append(to, sessions...)
	}
	one.tries++
	if over = one.Over(); over {
		d.remove(one)
	}
	return to, one, over
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

// remove ends the delivery. The caller holds mu.
func (d *deliveries) remove(one *delivery) {
	delete(d.byID, one.ID)
	c := one.Message.Conversation
	rest := slices.DeleteFunc(d.in[c], func(other *delivery) bool { return other == one })
	if d.in[c] = rest; len(rest) == 0 {
		delete(d.in, c)
	}
	d.expect -= one.Expected()
	d.count.Add(-1)
}
