package model

import "slices"

// Check judges a run. When the logs end, each party must be connected or have said goodbye, and nothing may be under way
// to it any more: what is missing then counts as lost.
func Check(run Run) *Verdict {
	c := &checker{
		run: run, verdict: &Verdict{},
		sends: map[string][]attempt{}, places: map[place]Message{}, ids: map[messageID]uint64{},
		accepted: map[string][]acceptance{}, members: map[place][]string{}, present: map[string]map[string]bool{},
		acks: map[place]map[string]ack{}, departures: map[string]map[string][]int64{},
	}
	c.readLogs()
	c.readSends()
	c.checkSends()
	for number := range run.Parties {
		c.follow(number)
	}
	c.checkPresence()
	c.checkReports()
	return c.verdict
}

// place is where a message stands in a log.
type place struct {
	conversation string
	seq          uint64
}

// attempt is one send of a message.
type attempt struct {
	Send
	party int
	user  string
	sid   string
	at    int64
}

// acceptance is an answer to a send: the time when it came, and the seq it gave.
type acceptance struct {
	at  int64
	seq uint64
}

// messageID is what makes a send idempotent: ids are per conversation and user.
type messageID struct{ conversation, user, id string }

// checker collects what is known of a run, over all its parties. All times are microseconds since the Unix epoch where
// nothing else is said.
type checker struct {
	run     Run
	verdict *Verdict
	// sends are the attempts, by the content of the message.
	sends map[string][]attempt
	// places are the messages in the final logs.
	places map[place]Message
	// ids are the seqs of these messages, by their ids.
	ids map[messageID]uint64
	// accepted are the acceptances in each conversation, in the order of time.
	accepted map[string][]acceptance
	// members are the users present at each message, sorted, where the log of some client tells them.
	members map[place][]string
	// present are the users who have a client in the conversation when the logs end.
	present map[string]map[string]bool
	// acks are the acks of each message that asks for confirmation, by user.
	acks map[place]map[string]ack
	// departures are the times when users may have left, in milliseconds since the Unix epoch, by conversation and user.
	departures map[string]map[string][]int64
}

// readLogs reads the conversations' final logs, which must have neither gaps nor repeated ids.
func (c *checker) readLogs() {
	for name, conversation := range c.run.Conversations {
		c.verdict.Accepted += len(conversation.Log)
		for i, m := range conversation.Log {
			if m.Seq != uint64(i+1) || m.ConversationID != name {
				c.verdict.fault(Different, "the history of %s has seq %d of %s at %d", name, m.Seq, m.ConversationID, i+1)
			}
			c.places[place{name, m.Seq}] = m
			id := messageID{name, m.UserID, m.MessageID}
			if other, found := c.ids[id]; found {
				c.verdict.fault(Repeated, "%s of %s stands in %s at %d and %d", m.MessageID, m.UserID, name, other, m.Seq)
			}
			c.ids[id] = m.Seq
		}
	}
}

// readSends reads from all parties' records what was sent and which sends were accepted.
func (c *checker) readSends() {
	for number, party := range c.run.Parties {
		var sid string
		for _, r := range party.Records {
			switch r.Kind {
			case Connected:
				sid = r.SID
				c.verdict.Connections++
				if r.Recovered {
					c.verdict.Recovered++
				}
			case Sending:
				c.sends[r.Send.Content] = append(c.sends[r.Send.Content], attempt{*r.Send, number, party.User, sid, r.At})
			case Accepted:
				name := r.Send.Conversation
				c.accepted[name] = append(c.accepted[name], acceptance{r.At, r.Seq})
			}
		}
	}
	for _, all := range c.accepted {
		slices.SortFunc(all, func(a, b acceptance) int { return int(a.at - b.at) })
	}
}

// checkSends compares the answers and the final logs with what was sent.
func (c *checker) checkSends() {
	refused := map[string]int{}
	for _, party := range c.run.Parties {
		for _, r := range party.Records {
			switch r.Kind {
			case Accepted:
				c.checkAccepted(party.User, r)
			case Refused:
				c.verdict.RefusedSends++
				refused[r.Send.Content]++
			}
		}
	}
	for at, m := range c.places {
		c.checkSent(m)
		// It is a fault only if every attempt was refused: of several one may have been, and one without an answer may
		// have been accepted.
		attempts := c.sends[m.Content]
		if n := len(attempts); n > 0 && (n == refused[m.Content] || attempts[0].Bad) {
			c.verdict.fault(Leaked, "%q, which was or should be refused, stands in %s at %d", m.Content, at.conversation, at.seq)
		}
	}
}

// checkAccepted compares an answer to a send with the final log.
func (c *checker) checkAccepted(user string, r Record) {
	if r.Duplicate {
		c.verdict.Duplicates++
	}
	name := r.Send.Conversation
	m, found := c.places[place{name, r.Seq}]
	if !found {
		c.verdict.fault(Lost, "%q was accepted as %d of %s, and is not in its log", r.Send.Content, r.Seq, name)
		return
	}
	same := m.UserID == user && m.MessageID == r.MessageID && m.Timestamp == r.Timestamp && m.Content == r.Send.Content
	if !same || r.Epoch != c.run.Conversations[name].Epoch || r.Send.ID != "" && r.Send.ID != r.MessageID {
		c.verdict.fault(Different, "%q was accepted as %s at %d of %s, where %+v stands", r.Send.Content, r.MessageID, r.Seq, name, m)
	}
}

// checkSent checks that a message in a log was sent as it stands there.
func (c *checker) checkSent(m Message) {
	for _, a := range c.sends[m.Content] {
		if a.user == m.UserID && a.Conversation == m.ConversationID && (a.ID == "" || a.ID == m.MessageID) {
			return
		}
	}
	c.verdict.fault(Phantom, "nobody sent %+v", m)
}

// checkTold compares a message that a client got with the final log. who names the client.
func (c *checker) checkTold(who string, m Message) {
	if m != c.places[place{m.ConversationID, m.Seq}] {
		if len(c.sends[m.Content]) == 0 {
			c.verdict.fault(Phantom, "%s heard %+v, which nobody sent", who, m)
			return
		}
		c.verdict.fault(Different, "%s heard %+v, where the log has %+v", who, m, c.places[place{m.ConversationID, m.Seq}])
	}
}

// confirms reports whether the message at the place asks for confirmation.
func (c *checker) confirms(at place) bool {
	all := c.sends[c.places[at].Content]
	return len(all) > 0 && all[0].Confirm
}

// acceptedBefore returns the highest seq of the conversation that some sender had been told before the time.
func (c *checker) acceptedBefore(conversation string, at int64) (newest uint64) {
	for _, a := range c.accepted[conversation] {
		if a.at >= at {
			break
		}
		newest = max(newest, a.seq)
	}
	return newest
}
