package model

import "slices"

// change handles a user_joined or user_left that the client got.
func (f *follower) change(r *Record) {
	f.verdict.Changes++
	if r.Kind == Departed {
		f.departed(r.Conversation, r.User, millis(r.Timestamp))
	}
	s := f.stays[r.Conversation]
	if s == nil || !s.in {
		f.verdict.fault(Leaked, "%s is not in %s and was told that %s %s", f.who, r.Conversation, r.User, r.Kind)
		return
	}
	if s.members == nil {
		return
	}
	if there := s.members[r.User]; there == (r.Kind == Arrived) {
		f.verdict.fault(Absent, "%s was told that %s %s, in %s, for the second time", f.who, r.User, r.Kind, r.Conversation)
	}
	if r.Kind == Arrived {
		s.members[r.User] = true
	} else {
		delete(s.members, r.User)
	}
}

// departed notes that a user may have left the conversation at the time, in milliseconds since the Unix epoch.
func (f *follower) departed(name, user string, at int64) {
	of := f.departures[name]
	if of == nil {
		of = map[string][]int64{}
		f.departures[name] = of
	}
	of[user] = append(of[user], at)
}

// see notes who is present when the message at the place comes, and compares that with what other clients noted there:
// arrivals and departures have the same place among the messages for everyone.
func (f *follower) see(at place, s *stay) {
	if s.members == nil {
		return
	}
	present := users(s.members)
	if others, known := f.members[at]; !known {
		f.members[at] = present
	} else if !slices.Equal(present, others) {
		f.verdict.fault(Absent, "at %d of %s, %s knows of %v, and another of %v", at.seq, at.conversation, f.who, present, others)
	}
}

// settled notes that the client is in the conversation when its records end, and compares the members it knows with the
// server's.
func (f *follower) settled(name string, s *stay) {
	if f.present[name] == nil {
		f.present[name] = map[string]bool{}
	}
	f.present[name][f.user] = true
	if s.members == nil {
		return
	}
	if told, said := users(s.members), slices.Sorted(slices.Values(f.run.Conversations[name].Members)); !slices.Equal(told, said) {
		f.verdict.fault(Absent, "%s was told of %v in %s, where the server says %v", f.who, told, name, said)
	}
}

// checkPresence compares the server's final lists of members with the clients that are there.
func (c *checker) checkPresence() {
	for name, conversation := range c.run.Conversations {
		said, truth := slices.Sorted(slices.Values(conversation.Members)), users(c.present[name])
		if !slices.Equal(said, truth) {
			c.verdict.fault(Absent, "in %s there are %v, and the server says %v", name, truth, said)
		}
	}
}
