package model

import (
	"slices"
	"time"
)

// allTries is how long the server tries to get a message confirmed, in milliseconds: three tries of 2, 4 and 8 s.
const allTries = 14_000

// slack is how far apart a departure and its consequences may be, in milliseconds.
const slack = 2_000

// ack is how a user confirmed a message, in microseconds since the Unix epoch: when a client first sent an ack, 0 if none
// did, and when the server had certainly read one, 0 if that is not known.
type ack struct{ tried, known int64 }

// ackedPlace is one ack that a client sent at a time, in microseconds since the Unix epoch: for the message at the seq,
// or with upTo for all up to it.
type ackedPlace struct {
	conversation string
	seq          uint64
	upTo         bool
	at           int64
}

func (f *follower) acking(r *Record) {
	one := ackedPlace{r.Conversation, r.Seq, r.UpTo, r.At}
	f.unproved = append(f.unproved, one)
	f.acked(one, func(a *ack) {
		if a.tried == 0 || r.At < a.tried {
			a.tried = r.At
		}
	})
}

// proved handles an answer: the server has read everything that the client sent before it asked.
func (f *follower) proved(r *Record) {
	rest := f.unproved[:0]
	for _, one := range f.unproved {
		if one.at >= r.Asked {
			rest = append(rest, one)
			continue
		}
		f.acked(one, func(a *ack) {
			if a.known == 0 || r.At < a.known {
				a.known = r.At
			}
		})
	}
	f.unproved = rest
}

// acked calls note for the user's ack of each message that asks for confirmation and that one covers.
func (f *follower) acked(one ackedPlace, note func(*ack)) {
	first := one.seq
	if one.upTo {
		first = 1
	}
	for seq := first; seq <= one.seq; seq++ {
		at := place{one.conversation, seq}
		if !f.confirms(at) {
			continue
		}
		if f.acks[at] == nil {
			f.acks[at] = map[string]ack{}
		}
		a := f.acks[at][f.user]
		note(&a)
		f.acks[at][f.user] = a
	}
}

// checkReports checks every message_delivered, that all clients of a sender got the same, and that none is missing.
func (c *checker) checkReports() {
	reports := map[place]Report{}
	heard := map[place]map[int]bool{}
	for number, party := range c.run.Parties {
		for _, r := range party.Records {
			if r.Kind != Reported {
				continue
			}
			at := place{r.Report.ConversationID, r.Report.Seq}
			if heard[at] == nil {
				heard[at] = map[int]bool{}
				reports[at] = *r.Report
				c.checkReport(at, *r.Report)
			}
			if heard[at][number] {
				c.verdict.fault(Miscounted, "client %d was told of %d of %s twice", number, at.seq, at.conversation)
			}
			heard[at][number] = true
			if m := c.places[at]; m.UserID != party.User || !sameReport(*r.Report, reports[at]) {
				c.verdict.fault(Miscounted, "client %d (%s) was told %+v, another %+v, of %+v", number, party.User, *r.Report, reports[at], m)
			}
		}
	}
	c.verdict.Reports = len(reports)
	c.checkMissing(heard)
}

// checkMissing checks that a sender's clients got each report, where they were connected from the send to the end.
func (c *checker) checkMissing(heard map[place]map[int]bool) {
	since := make([]int64, len(c.run.Parties))
	for number, party := range c.run.Parties {
		for _, r := range party.Records {
			if r.Kind == Connected || r.Kind == Dropped {
				since[number] = r.At
			}
		}
	}
	for at, m := range c.places {
		if !c.confirms(at) {
			continue
		}
		c.verdict.Confirmed++
		first := slices.MinFunc(c.sends[m.Content], func(a, b attempt) int { return int(a.at - b.at) })
		for number, party := range c.run.Parties {
			if party.User == m.UserID && since[number] < first.at && !heard[at][number] {
				c.verdict.fault(Miscounted, "client %d was not told of %d of %s", number, at.seq, at.conversation)
			}
		}
	}
}

func sameReport(a, b Report) bool {
	return a.Expected == b.Expected && a.Delivered == b.Delivered && a.Status == b.Status && a.MessageID == b.MessageID &&
		a.Timestamp == b.Timestamp && slices.Equal(a.Pending, b.Pending)
}

// checkReport checks one report: that it adds up, and against members and acks as far as these are known.
func (c *checker) checkReport(at place, r Report) {
	wrong := func(why string) { c.verdict.fault(Miscounted, "%s: %+v", why, r) }
	m, found := c.places[at]
	if !found || m.MessageID != r.MessageID || !c.confirms(at) {
		wrong("no message asked for this")
		return
	}
	if r.Delivered != r.Expected-len(r.Pending) || (r.Status == "complete") != (len(r.Pending) == 0) {
		wrong("it does not add up")
	}
	if len(r.Pending) > 0 {
		c.verdict.Partial++
	}
	c.checkPending(at, m, r, wrong)
	members, known := c.members[at]
	if !known {
		return
	}
	c.verdict.Exact++
	expected := slices.DeleteFunc(slices.Clone(members), func(u string) bool { return u == m.UserID })
	if len(expected) != r.Expected {
		wrong("the members were others")
	}
	for _, u := range r.Pending {
		if !slices.Contains(expected, u) {
			wrong(u + " was not to confirm it")
		}
	}
	for _, u := range expected {
		if a := c.acks[at][u]; !slices.Contains(r.Pending, u) && (a.tried == 0 || a.tried/1000 > millis(r.Timestamp)) {
			wrong(u + " has not confirmed it")
		}
	}
}

// checkPending checks that pending users did not confirm in time, and that the server gave up on each for a reason: the
// user left, or all tries were over.
func (c *checker) checkPending(at place, m Message, r Report, wrong func(string)) {
	sent, over := millis(m.Timestamp), millis(r.Timestamp)
	for _, u := range r.Pending {
		if a := c.acks[at][u]; a.known != 0 && a.known/1000 < over {
			wrong(u + " had confirmed it")
		}
		left := slices.ContainsFunc(c.departures[at.conversation][u], func(t int64) bool { return t >= sent-slack && t <= over+slack })
		if !left && over-sent < allTries-1 {
			wrong(u + " was given up too soon")
		}
	}
}

// millis returns a timestamp of the contract as milliseconds since the Unix epoch, or -1 if it is malformed.
func millis(timestamp string) int64 {
	t, err := time.Parse("2006-01-02T15:04:05.000Z", timestamp)
	if err != nil {
		return -1
	}
	return t.UnixMilli()
}
