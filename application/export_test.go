package application

import (
	"time"

	"parley/domain"
)

// LastActivity returns when the session's client was last heard.
func (c *Chat) LastActivity(id domain.SessionID) time.Time {
	s, err := c.sessions.get(id)
	if err != nil {
		return time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.LastActivity()
}

// SessionCount returns how many sessions the registry holds.
func (c *Chat) SessionCount() int {
	n := 0
	for i := range c.sessions.shards {
		sh := &c.sessions.shards[i]
		sh.mu.RLock()
		n += len(sh.open)
		sh.mu.RUnlock()
	}
	return n
}

// WaitingTimers returns how many timers wait.
func (c *Chat) WaitingTimers() int {
	c.timers.mu.Lock()
	defer c.timers.mu.Unlock()
	return len(c.timers.waiting)
}

// UnderWay says what a chat holds beside its sessions.
type UnderWay struct {
	Deliveries, Streams, Open, Typists, Strays, Reports int
	// Unheard counts what is kept for users who dropped, and them.
	Unheard, Away int
	DeliveryBytes int64
	StreamBytes   int
}

// UnderWay counts what is under way, and checks the counts that are kept of it.
func (c *Chat) UnderWay() (u UnderWay) {
	for i := range c.deliveries.shards {
		sh := &c.deliveries.shards[i]
		sh.mu.Lock()
		here := 0
		for _, tracked := range sh.in {
			var bytes int64
			for _, one := range tracked.deliveries {
				bytes += one.bytes
			}
			must(bytes == tracked.bytes, "the bytes of a conversation's deliveries")
			must(len(tracked.deliveries) > 0, "a conversation without deliveries")
			here += len(tracked.deliveries)
			u.DeliveryBytes += bytes
		}
		must(here == len(sh.byID), "deliveries by id and by conversation")
		u.Deliveries += here
		sh.mu.Unlock()
	}
	must(int64(u.Deliveries) == c.deliveries.count.Load(), "the count of deliveries")
	must(u.DeliveryBytes == c.deliveries.tracked.Load(), "the bytes of deliveries")
	c.countStreams(&u)
	c.typists.mu.Lock()
	defer c.typists.mu.Unlock()
	u.Typists = len(c.typists.entries)
	must(int64(u.Typists) == c.typists.count.Load(), "the count of typists")
	c.strays.mu.Lock()
	defer c.strays.mu.Unlock()
	u.Strays = len(c.strays.users)
	u.Reports = c.reports.recount()
	c.countUnheard(&u)
	return u
}

func (c *Chat) countUnheard(u *UnderWay) {
	c.unheard.mu.Lock()
	defer c.unheard.mu.Unlock()
	queued, bytes := 0, 0
	for _, here := range c.unheard.in {
		queued += here.queued
		must(here.queued > 0, "a conversation that nobody missed anything of")
		for _, n := range here.notes {
			bytes += n.bytes
		}
	}
	must(queued == len(c.unheard.queue), "the queue of what was missed")
	must(bytes == c.unheard.bytes, "the bytes of what was missed")
	u.Unheard, u.Away = queued, len(c.unheard.away)
}

func (c *Chat) countStreams(u *UnderWay) {
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	for _, one := range c.streams.byID {
		must(one.bytes == one.Size(), "the bytes of a stream")
		u.StreamBytes += one.bytes
	}
	for _, open := range c.streams.in {
		must(len(open) > 0, "a conversation without streams")
		u.Open += len(open)
	}
	u.Streams = len(c.streams.byID)
	must(u.Open == c.streams.open, "the count of open streams")
	must(u.StreamBytes == c.streams.bytes, "the bytes of streams")
	must(int64(u.Streams) == c.streams.count.Load(), "the count of streams")
}

func must(ok bool, what string) {
	if !ok {
		panic(what + " is wrong")
	}
}

// ForgetReceipts drops the streams that are complete, as time does.
func (c *Chat) ForgetReceipts() {
	for _, one := range c.streams.byID {
		must(one.receipt != nil, "an open stream")
		c.streams.forget(one)
	}
}

// Draining reports whether Close has begun.
func (c *Chat) Draining() bool { return c.draining.Load() }

// recount counts the reports that wait, and checks the sums.
func (rs *reports) recount() (n int) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	bytes := 0
	for user, reports := range rs.waiting {
		if len(reports) == 0 {
			panic("nothing is kept for " + string(user))
		}
		for _, r := range reports {
			n++
			bytes += r.size()
		}
	}
	if int64(n) != rs.count.Load() || bytes != rs.bytes {
		panic("reports are counted wrong")
	}
	return n
}
