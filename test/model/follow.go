package model

import (
	"fmt"
	"maps"
	"slices"
)

// follower goes through one party's records in order.
type follower struct {
	*checker
	number int
	who    string
	user   string
	sid    string
	stays  map[string]*stay
	// unproved are the acks sent on this connection that the server may not have read yet.
	unproved []ackedPlace
}

// stay is the time that a client is in a conversation. A recovered connection, or a join that recovers what was missed,
// continues the stay of the connection before.
type stay struct {
	in bool
	// low is the first seq that the client must get.
	low uint64
	got []receipt
	// newest is the highest seq in got, at first low-1.
	newest uint64
	// members are the users present, as the client was told; nil while it may have missed changes.
	members map[string]bool
}

// receipt is a message that the client got: live as an event, else in the answer to a join.
type receipt struct {
	seq  uint64
	live bool
}

func (c *checker) follow(number int) {
	party := c.run.Parties[number]
	f := &follower{
		checker: c, number: number, who: fmt.Sprintf("client %d (%s)", number, party.User), user: party.User,
		stays: map[string]*stay{},
	}
	for i := range party.Records {
		f.record(&party.Records[i])
	}
	f.end()
}

func (f *follower) record(r *Record) {
	switch r.Kind {
	case Connected:
		f.connected(r)
	case Joined:
		f.joined(r)
	case Left:
		f.left(r)
	case Heard:
		f.heard(r)
	case Arrived, Departed:
		f.change(r)
	case Acking:
		f.acking(r)
	case Goodbye:
		for name := range f.stays {
			f.departed(name, f.user, r.At/1000)
		}
	case Answered:
		for _, m := range r.Messages {
			f.checkTold(f.who, m)
		}
	}
	switch r.Kind {
	case Joined, Left, Accepted, Refused, Answered:
		f.proved(r)
	}
}

func (f *follower) connected(r *Record) {
	if r.Recovered && r.SID != f.sid {
		f.verdict.fault(Unrecovered, "%s recovered as %s, and was %s", f.who, r.SID, f.sid)
	}
	f.sid = r.SID
	f.unproved = nil
	for _, s := range f.stays {
		// It is not told who came and went meanwhile. The next join tells it who is there.
		s.members = nil
		s.in = s.in && r.Recovered
	}
}

func (f *follower) joined(r *Record) {
	name := r.Conversation
	s := f.stays[name]
	if r.Epoch != f.run.Conversations[name].Epoch {
		f.verdict.fault(Different, "%s joined %s in epoch %s", f.who, name, r.Epoch)
	}
	for _, m := range r.Messages {
		f.checkTold(f.who, m)
	}
	switch {
	case s != nil && s.in:
		// It was in already: all messages up to the answer's seq must have come before the answer.
		f.owed(name, s, r.Seq)
	case r.After != nil && s != nil && r.Recovered:
		f.replay(name, s, r)
	default:
		if r.After != nil {
			f.verdict.fault(Unrecovered, "%s asked for what comes after %d of %s", f.who, *r.After, name)
		}
		f.finish(name, s, 0)
		s = &stay{low: r.Seq + 1, newest: r.Seq}
		f.stays[name] = s
	}
	s.in = true
	s.members = map[string]bool{}
	for _, u := range r.Members {
		s.members[u] = true
	}
	if !s.members[f.user] {
		f.verdict.fault(Absent, "%s is not among the members of %s, which it has joined", f.who, name)
	}
}

// replay handles the missed messages that the answer to a join brings.
func (f *follower) replay(name string, s *stay, r *Record) {
	next := *r.After
	for _, m := range r.Messages {
		if next++; m.Seq != next {
			f.verdict.fault(Reordered, "%s was replayed %d of %s instead of %d", f.who, m.Seq, name, next)
		}
		s.got = append(s.got, receipt{seq: m.Seq})
		s.newest = max(s.newest, m.Seq)
		f.verdict.Replayed++
	}
	if next < r.Seq {
		f.verdict.fault(Lost, "%s was replayed %s up to %d of %d", f.who, name, next, r.Seq)
	}
}

// owed checks that nothing is missing between the newest message that came and seq.
func (f *follower) owed(name string, s *stay, seq uint64) {
	for missing := s.newest + 1; missing <= seq; missing++ {
		if !f.unechoed(place{name, missing}) {
			f.verdict.fault(Lost, "%s was answered at %d of %s before it got %d", f.who, seq, name, missing)
		}
	}
}

func (f *follower) left(r *Record) {
	f.departed(r.Conversation, f.user, r.At/1000)
	s := f.stays[r.Conversation]
	if s == nil {
		return
	}
	f.finish(r.Conversation, s, f.acceptedBefore(r.Conversation, r.Asked))
	delete(f.stays, r.Conversation)
}

func (f *follower) heard(r *Record) {
	m := *r.Message
	f.checkTold(f.who, m)
	s := f.stays[m.ConversationID]
	if s == nil || !s.in {
		f.verdict.fault(Leaked, "%s is not in %s and heard %d", f.who, m.ConversationID, m.Seq)
		return
	}
	if _, stands := f.places[place{m.ConversationID, m.Seq}]; !stands {
		return // checkTold has reported it
	}
	if m.Seq > s.newest {
		f.see(place{m.ConversationID, m.Seq}, s)
	}
	s.got = append(s.got, receipt{m.Seq, true})
	s.newest = max(s.newest, m.Seq)
	if f.echoed(place{m.ConversationID, m.Seq}) {
		f.verdict.fault(Echoed, "%s heard %d of %s, which it sent without echo", f.who, m.Seq, m.ConversationID)
	}
}

// unechoed reports whether the client sent the message without echo: then it need not get it.
func (f *follower) unechoed(at place) bool {
	return slices.ContainsFunc(f.sends[f.places[at].Content], func(a attempt) bool { return a.party == f.number && a.NoEcho })
}

// echoed reports whether every attempt to send the message came from this very socket, without echo: then the socket
// must not get it.
func (f *follower) echoed(at place) bool {
	all := f.sends[f.places[at].Content]
	return len(all) > 0 && !slices.ContainsFunc(all, func(a attempt) bool { return a.sid != f.sid || !a.NoEcho })
}

// finish judges a stay that is over: every message from low up to must, or up to the newest that came if that is later,
// must have come once and in order.
func (f *follower) finish(name string, s *stay, must uint64) {
	if s == nil {
		return
	}
	seen := map[uint64]bool{}
	newest := uint64(0)
	for _, r := range s.got {
		switch again := seen[r.seq] || r.seq < s.low; {
		case again && r.live && f.confirms(place{name, r.seq}):
			f.verdict.Repeats++
			if !seen[r.seq] {
				f.verdict.Late++
			}
			continue
		case again:
			f.verdict.fault(Doubled, "%s got %d of %s again", f.who, r.seq, name)
			continue
		case r.seq < newest:
			f.verdict.fault(Reordered, "%s got %d of %s behind %d", f.who, r.seq, name, newest)
		}
		seen[r.seq] = true
		newest = max(newest, r.seq)
	}
	f.verdict.Deliveries += len(seen)
	for seq := s.low; seq <= max(newest, must); seq++ {
		if !seen[seq] && !f.unechoed(place{name, seq}) {
			f.verdict.fault(Lost, "%s did not get %d of %s", f.who, seq, name)
		}
	}
}

// end judges the stays that are not over when the records end.
func (f *follower) end() {
	for name, s := range f.stays {
		must := uint64(0)
		if s.in {
			must = uint64(len(f.run.Conversations[name].Log))
			f.settled(name, s)
		}
		f.finish(name, s, must)
	}
}

// users returns the set, sorted.
func users(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
