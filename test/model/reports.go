package model

import (
	"slices"
	"time"
)

// allTries is how long a message is sent again to those who do not confirm it, in milliseconds.
const allTries = 14_000

// slack is how far a departure and what follows from it may lie apart, in milliseconds.
const slack = 2_000

// ack is what a user did to confirm a message, in microseconds: when it tried first, and when the server certainly
// knew; 0 if it need not know.
type ack struct{ tried, known int64 }

type ackedPlace struct {
	conversation string
	seq          uint64
	upTo         bool
}

func (f *follower) acking(r *Record) {
	one := ackedPlace{r.Conversation, r.Seq, r.UpTo}
	f.unproved = append(f.unproved, one)
	f.acked(one, func(a *ack) {
		if a.tried == 0 || r.At < a.tried {
			a.tried = r.At
		}
	})
}

// proved notes that the server has read everything before what it has answered.
func (f *follower) proved(at int64) {
	for _, one := range f.unproved {
		f.acked(one, func(a *ack) {
			if a.known == 0 || at < a.known {
				a.known = at
			}
		})
	}
	f.unproved = nil
}

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

// checkReports holds every message_delivered against what is known, and sees that none is missing.
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

// checkMissing sees that every client that was connected from the send to the end has its report.
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

// checkReport checks one report by itself.
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

// checkPending sees that who is pending did not confirm in time, and was given up for a reason.
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

// millis reads a timestamp of the contract.
func millis(timestamp string) int64 {
	t, err := time.Parse("2006-01-02T15:04:05.000Z", timestamp)
	if err != nil {
		return -1
	}
	return t.UnixMilli()
}
