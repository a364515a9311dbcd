package model

import (
	"math/rand/v2"
	"slices"
)

// Spoiler falsifies the logs of a good run in one way, to prove that Check finds it.
type Spoiler struct {
	Name string
	// Fault is what Check must find in the falsified run.
	Fault Fault
	// Do returns a falsified copy and leaves the run as it is. done is false if the run has nothing to falsify.
	Do func(random *rand.Rand, run Run) (spoilt Run, done bool)
}

// Spoilers returns all of them, in a fixed order. The last needs a run in which the server gave up on some user.
func Spoilers() []Spoiler {
	return []Spoiler{
		{"a message that did not arrive", Lost, spoilEvent(followed, func(records []Record, i int) []Record {
			return slices.Delete(records, i, i+1)
		})},
		{"a message that arrived twice", Doubled, spoilEvent(followed, func(records []Record, i int) []Record {
			return slices.Insert(records, i+1, records[i])
		})},
		{"two messages that changed places", Reordered, spoilEvent(followed, func(records []Record, i int) []Record {
			j := next(records, i)
			records[i].Message, records[j].Message = records[j].Message, records[i].Message
			return records
		})},
		{"a message that nobody sent", Phantom, spoilEvent(followed, func(records []Record, i int) []Record {
			return slices.Insert(records, i+1, altered(records[i], func(m *Message) { m.Content, m.Seq = "never sent", m.Seq+1_000_000 }))
		})},
		{"a message with the words of another", Different, spoilEvent(followed, func(records []Record, i int) []Record {
			records[i] = altered(records[i], func(m *Message) { m.Content = records[next(records, i)].Message.Content })
			return records
		})},
		{"a message that was refused and arrived", Leaked, spoilRefused},
		{"a user who is present and not told", Absent, spoilMembers},
		{"an arrival that was not told", Absent, spoilEvent(arrival, func(records []Record, i int) []Record {
			return slices.Delete(records, i, i+1)
		})},
		{"a report that did not come", Miscounted, spoilEvent(unbrokenReport, func(records []Record, i int) []Record {
			return slices.Delete(records, i, i+1)
		})},
		{"a report that came twice", Miscounted, spoilEvent(reported, func(records []Record, i int) []Record {
			return slices.Insert(records, i+1, records[i])
		})},
		{"reports of one user too many", Miscounted, spoilReports(func(r *Report) { r.Expected++; r.Delivered++ })},
		{"reports of everyone who was given up as if they had confirmed", Miscounted, spoilReports(func(r *Report) {
			r.Delivered, r.Pending, r.Status = r.Expected, nil, "complete"
		})},
	}
}

// spoilEvent changes the records of one random party at one random record for which fit is true.
func spoilEvent(fit func(Run, Party, int) bool, change func([]Record, int) []Record) func(*rand.Rand, Run) (Run, bool) {
	return func(random *rand.Rand, run Run) (Run, bool) {
		run.Parties = slices.Clone(run.Parties)
		for _, number := range random.Perm(len(run.Parties)) {
			party := run.Parties[number]
			for _, i := range random.Perm(len(party.Records)) {
				if fit(run, party, i) {
					run.Parties[number].Records = change(slices.Clone(party.Records), i)
					return run, true
				}
			}
		}
		return run, false
	}
}

// next returns the index of the next message of the same conversation, or -1 if the client connects, joins or leaves
// before one comes.
func next(records []Record, i int) int {
	name := records[i].Message.ConversationID
	for j := i + 1; j < len(records); j++ {
		switch r := records[j]; {
		case r.Kind == Heard && r.Message.ConversationID == name:
			return j
		case r.Kind == Connected, r.Conversation == name && (r.Kind == Joined || r.Kind == Left):
			return -1
		}
	}
	return -1
}

// followed reports whether the record is a message that is directly followed by the next seq of its conversation, where
// neither asks for confirmation, which allows repeats, or was sent without echo.
func followed(run Run, party Party, i int) bool {
	if party.Records[i].Kind != Heard {
		return false
	}
	j := next(party.Records, i)
	if j < 0 {
		return false
	}
	one, other := party.Records[i].Message, party.Records[j].Message
	return other.Seq == one.Seq+1 && !asks(run, *one) && !asks(run, *other)
}

// asks reports whether the message was sent asking for confirmation or without echo.
func asks(run Run, m Message) bool {
	return slices.ContainsFunc(run.Parties, func(p Party) bool {
		return slices.ContainsFunc(p.Records, func(r Record) bool {
			return r.Kind == Sending && r.Send.Content == m.Content && (r.Send.Confirm || r.Send.NoEcho)
		})
	})
}

// arrival reports whether the record is a user_joined whose absence would show: the client knew the members, and is not
// told them again by a later join.
func arrival(_ Run, party Party, i int) bool {
	r := party.Records[i]
	return r.Kind == Arrived && knows(party.Records[:i], r.Conversation) &&
		!slices.ContainsFunc(party.Records[i:], func(later Record) bool {
			return later.Kind == Connected || later.Conversation == r.Conversation && (later.Kind == Joined || later.Kind == Left)
		})
}

// knows reports whether the client has been told who is in the conversation since it last connected.
func knows(before []Record, name string) (known bool) {
	for _, r := range before {
		switch {
		case r.Kind == Connected, r.Kind == Left && r.Conversation == name:
			known = false
		case r.Kind == Joined && r.Conversation == name:
			known = true
		}
	}
	return known
}

func reported(_ Run, party Party, i int) bool { return party.Records[i].Kind == Reported }

// unbrokenReport reports whether the record is a message_delivered for a client that must get it: one that connected
// before the message was sent and never lost its connection.
func unbrokenReport(run Run, party Party, i int) bool {
	r := party.Records[i]
	if r.Kind != Reported || slices.ContainsFunc(party.Records, func(r Record) bool { return r.Kind == Dropped }) {
		return false
	}
	return !slices.ContainsFunc(run.Parties, func(p Party) bool {
		return p.User == party.User && slices.ContainsFunc(p.Records, func(sending Record) bool {
			return sending.Kind == Sending && sending.Send.ID == r.Report.MessageID && sending.At <= party.Records[0].At
		})
	})
}

func altered(r Record, change func(*Message)) Record {
	m := *r.Message
	change(&m)
	r.Message = &m
	return r
}

// spoilRefused puts a message that was refused into a conversation's log.
func spoilRefused(_ *rand.Rand, run Run) (Run, bool) {
	for _, party := range run.Parties {
		for _, r := range party.Records {
			if r.Kind != Refused || attempts(run, r.Send.Content) > 1 {
				continue
			}
			for name, conversation := range run.Conversations {
				if len(conversation.Log) == 0 {
					continue
				}
				m := conversation.Log[len(conversation.Log)-1]
				m.Content, m.UserID, m.Seq, m.MessageID = r.Send.Content, party.User, m.Seq+1, "refused"
				conversation.Log = append(slices.Clone(conversation.Log), m)
				return withConversation(run, name, conversation), true
			}
		}
	}
	return run, false
}

// attempts counts the sends of the message with the content, over all parties.
func attempts(run Run, content string) (n int) {
	for _, party := range run.Parties {
		for _, r := range party.Records {
			if r.Kind == Sending && r.Send.Content == content {
				n++
			}
		}
	}
	return n
}

func spoilMembers(_ *rand.Rand, run Run) (Run, bool) {
	for name, conversation := range run.Conversations {
		if len(conversation.Members) > 0 {
			conversation.Members = conversation.Members[1:]
			return withConversation(run, name, conversation), true
		}
	}
	return run, false
}

func withConversation(run Run, name string, conversation Conversation) Run {
	all := map[string]Conversation{name: conversation}
	for other, c := range run.Conversations {
		if other != name {
			all[other] = c
		}
	}
	run.Conversations = all
	return run
}

// spoilReports changes all reports of all parties in the same way.
func spoilReports(change func(*Report)) func(*rand.Rand, Run) (Run, bool) {
	return func(_ *rand.Rand, run Run) (spoilt Run, done bool) {
		run.Parties = slices.Clone(run.Parties)
		for number, party := range run.Parties {
			records := slices.Clone(party.Records)
			for i, r := range records {
				if r.Kind != Reported {
					continue
				}
				report := *r.Report
				change(&report)
				records[i].Report = &report
				done = true
			}
			run.Parties[number].Records = records
		}
		return run, done
	}
}
