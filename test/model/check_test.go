package model_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/model"
)

// stage plays a good run: a server without faults, and clients that write everything down.
type stage struct {
	clock   int64
	log     []model.Message
	parties []model.Party
	in      []bool
	// lingering are users who have dropped and may come back: they are members.
	lingering []string
}

const conversation = "room"

func newStage(users ...string) *stage {
	s := &stage{clock: 1_800_000_000_000_000}
	for i, user := range users {
		s.parties = append(s.parties, model.Party{User: user})
		s.in = append(s.in, false)
		s.note(i, model.Record{Kind: model.Connected, SID: fmt.Sprint("socket-", i)})
	}
	return s
}

func (s *stage) note(i int, r model.Record) {
	s.clock += 1_000
	r.At = s.clock
	if r.Asked == 0 {
		r.Asked = s.clock - 500
	}
	s.parties[i].Records = append(s.parties[i].Records, r)
}

func (s *stage) members() []string {
	users := slices.Clone(s.lingering)
	for i, in := range s.in {
		if in && !slices.Contains(users, s.parties[i].User) {
			users = append(users, s.parties[i].User)
		}
	}
	slices.Sort(users)
	return users
}

func (s *stage) timestamp() string {
	ms := s.clock/1000 - 1_800_000_000_000
	return fmt.Sprintf("2027-01-15T08:%02d:%02d.%03dZ", ms/60_000, ms/1000%60, ms%1000)
}

// joins lets the client join; what it has missed since after comes with the answer.
func (s *stage) joins(i int, after *uint64) {
	user := s.parties[i].User
	if !slices.Contains(s.members(), user) {
		for j, in := range s.in {
			if in {
				s.note(j, model.Record{Kind: model.Arrived, Conversation: conversation, User: user, Timestamp: s.timestamp()})
			}
		}
	}
	s.in[i] = true
	s.lingering = slices.DeleteFunc(s.lingering, func(u string) bool { return u == user })
	r := model.Record{Kind: model.Joined, Conversation: conversation, Epoch: "e", Seq: uint64(len(s.log)), Members: s.members(), After: after}
	if after != nil {
		r.Recovered, r.Messages = true, slices.Clone(s.log[*after:])
	}
	s.note(i, r)
}

func (s *stage) leaves(i int) {
	s.in[i] = false
	user := s.parties[i].User
	if !slices.Contains(s.members(), user) {
		for j, in := range s.in {
			if in {
				s.note(j, model.Record{Kind: model.Departed, Conversation: conversation, User: user, Timestamp: s.timestamp()})
			}
		}
	}
	s.note(i, model.Record{Kind: model.Left, Conversation: conversation})
}

// drops lets the client lose its connection; it comes back as another socket and is nowhere.
func (s *stage) drops(i int) {
	s.in[i] = false
	if !slices.Contains(s.members(), s.parties[i].User) {
		s.lingering = append(s.lingering, s.parties[i].User)
	}
	s.note(i, model.Record{Kind: model.Dropped})
	s.note(i, model.Record{Kind: model.Connected, SID: fmt.Sprint("socket-", i, "-", s.clock)})
}

func (s *stage) says(i int, send model.Send) model.Message {
	s.note(i, model.Record{Kind: model.Sending, Send: &send})
	m := model.Message{
		ConversationID: conversation, UserID: s.parties[i].User, Content: send.Content, MessageID: send.ID,
		Timestamp: s.timestamp(), Seq: uint64(len(s.log) + 1),
	}
	s.log = append(s.log, m)
	for j, in := range s.in {
		if in && (j != i || !send.NoEcho) {
			s.note(j, model.Record{Kind: model.Heard, Message: &m})
			if send.Confirm {
				s.note(j, model.Record{Kind: model.Acking, Conversation: conversation, Seq: m.Seq})
				s.note(j, model.Record{Kind: model.Answered})
			}
		}
	}
	s.accepted(i, send, m, false)
	if send.Confirm {
		s.reports(m)
	}
	return m
}

func (s *stage) accepted(i int, send model.Send, m model.Message, duplicate bool) {
	s.note(i, model.Record{
		Kind: model.Accepted, Send: &send, Seq: m.Seq, Epoch: "e", MessageID: m.MessageID, Timestamp: m.Timestamp, Duplicate: duplicate,
	})
}

func (s *stage) reports(m model.Message) {
	n := len(s.members()) - 1
	report := model.Report{
		ConversationID: conversation, MessageID: m.MessageID, Seq: m.Seq, Expected: n, Delivered: n, Status: "complete",
		Timestamp: s.timestamp(),
	}
	for j, p := range s.parties {
		if p.User == m.UserID {
			s.note(j, model.Record{Kind: model.Reported, Report: &report})
		}
	}
}

func (s *stage) run() model.Run {
	return model.Run{Parties: s.parties, Conversations: map[string]model.Conversation{
		conversation: {Members: s.members(), Epoch: "e", Log: s.log},
	}}
}

func send(content string) model.Send {
	return model.Send{Conversation: conversation, ID: "id-of-" + content, Content: content}
}

// good plays a run in which a bit of everything happens: alice has two clients, bob drops, carol leaves.
func good() *stage {
	s := newStage("alice", "alice", "bob", "carol")
	for i := range 4 {
		s.joins(i, nil)
	}
	for i := range 6 {
		s.says(i%4, send(fmt.Sprint("first ", i)))
	}
	confirm := send("to be confirmed")
	confirm.Confirm = true
	m := s.says(0, confirm)
	s.note(2, model.Record{Kind: model.Heard, Message: &m}) // again
	s.note(1, model.Record{Kind: model.Sending, Send: &confirm})
	s.accepted(1, confirm, m, true)
	refused := send("to be refused")
	s.note(3, model.Record{Kind: model.Sending, Send: &refused})
	s.note(3, model.Record{Kind: model.Refused, Send: &refused, Code: "INVALID_PAYLOAD"})
	silent := send("without echo")
	silent.NoEcho = true
	s.says(3, silent)
	seen := uint64(len(s.log))
	s.drops(2)
	s.says(0, send("missed"))
	s.joins(2, &seen)
	s.leaves(3)
	s.says(2, send("without carol"))
	s.joins(3, nil)
	for i := range 4 {
		s.says(i, send(fmt.Sprint("last ", i)))
	}
	return s
}

func TestCheck_finds_nothing_in_a_good_run(t *testing.T) {
	v := model.Check(good().run())
	assert.Empty(t, v.Faults)
	assert.Equal(t, model.Verdict{
		Accepted: 14, Deliveries: 54, Replayed: 1, Repeats: 1, Duplicates: 1, RefusedSends: 1, Connections: 5,
		Changes: v.Changes, Confirmed: 1, Reports: 1, Exact: 1,
	}, *v)
}

func TestCheck_finds_what_is_spoilt(t *testing.T) {
	for _, spoiler := range model.Spoilers() {
		if spoiler.Name == "reports of everyone who was given up as if they had confirmed" {
			continue // nobody was; the model check of the server has many
		}
		t.Run(spoiler.Name, func(t *testing.T) {
			for seed := range uint64(20) {
				run, done := spoiler.Do(rand.New(rand.NewPCG(seed, 0)), good().run())
				require.True(t, done)
				assert.Contains(t, model.Check(run).Faults, spoiler.Fault)
			}
		})
	}
}

func TestCheck_finds_faults_of_the_server(t *testing.T) {
	last := func(p model.Party, kind model.Kind) *model.Record {
		for i := range slices.Backward(p.Records) {
			if p.Records[i].Kind == kind {
				return &p.Records[i]
			}
		}
		return nil
	}
	for name, c := range map[string]struct {
		fault model.Fault
		play  func(*stage)
	}{
		"a replay with a hole": {model.Lost, func(s *stage) {
			seen := uint64(len(s.log) - 2)
			s.drops(1)
			s.joins(1, &seen)
			r := last(s.parties[1], model.Joined)
			r.Messages = r.Messages[:1]
		}},
		"a replay of what the client has": {model.Doubled, func(s *stage) {
			s.drops(1)
			seen := uint64(len(s.log) - 2)
			s.joins(1, &seen)
		}},
		"a replay that is refused": {model.Unrecovered, func(s *stage) {
			seen := uint64(len(s.log))
			s.drops(1)
			s.joins(1, &seen)
			last(s.parties[1], model.Joined).Recovered = false
		}},
		"a recovery under another id": {model.Unrecovered, func(s *stage) {
			s.note(1, model.Record{Kind: model.Dropped})
			s.note(1, model.Record{Kind: model.Connected, SID: "another", Recovered: true})
		}},
		"a recovery with a hole": {model.Lost, func(s *stage) {
			s.note(1, model.Record{Kind: model.Dropped})
			s.note(1, model.Record{Kind: model.Connected, SID: "socket-1", Recovered: true})
			s.in[1] = false
			s.says(0, send("while it was away"))
			s.in[1] = true
			s.says(0, send("after that"))
		}},
		"a message that is told after the client has left": {model.Leaked, func(s *stage) {
			s.leaves(1)
			m := s.says(0, send("without the tab"))
			s.note(1, model.Record{Kind: model.Heard, Message: &m})
		}},
		"a client that leaves before it has got what was accepted": {model.Lost, func(s *stage) {
			s.in[1] = false
			s.says(0, send("not told to the tab"))
			s.in[1] = true
			s.leaves(1)
		}},
		"an echo that was not wanted": {model.Echoed, func(s *stage) {
			silent := send("silent")
			silent.NoEcho = true
			m := s.says(3, silent)
			s.note(3, model.Record{Kind: model.Heard, Message: &m})
		}},
		"an id that is accepted twice": {model.Repeated, func(s *stage) { s.says(0, send("last 0")) }},
		"an answer that names another place": {model.Different, func(s *stage) {
			s.says(0, send("misplaced"))
			last(s.parties[0], model.Accepted).Seq--
		}},
		"a message that should be refused": {model.Leaked, func(s *stage) {
			bad := send("too long")
			bad.Bad = true
			s.says(0, bad)
		}},
		"a message that was accepted and is in no log": {model.Lost, func(s *stage) {
			s.says(0, send("forgotten"))
			s.log = s.log[:len(s.log)-1]
		}},
		"an arrival that is told twice": {model.Absent, func(s *stage) {
			s.note(0, model.Record{Kind: model.Arrived, Conversation: conversation, User: "bob", Timestamp: s.timestamp()})
		}},
		"two clients that know of others at the same message": {model.Absent, func(s *stage) {
			for _, i := range []int{1, 2} { // the end is right again
				s.note(i, model.Record{Kind: model.Departed, Conversation: conversation, User: "carol", Timestamp: s.timestamp()})
			}
			s.says(0, send("to some"))
			for _, i := range []int{1, 2} {
				s.note(i, model.Record{Kind: model.Arrived, Conversation: conversation, User: "carol", Timestamp: s.timestamp()})
			}
		}},
		"a user who is pending and had confirmed": {model.Miscounted, func(s *stage) {
			confirm := send("pending")
			confirm.Confirm = true
			s.says(0, confirm)
			for i := range 2 {
				r := last(s.parties[i], model.Reported).Report
				r.Delivered, r.Pending, r.Status = 1, []string{"bob"}, "partial"
			}
		}},
		"a user who counts and never confirmed": {model.Miscounted, func(s *stage) {
			confirm := send("unconfirmed")
			confirm.Confirm = true
			s.says(0, confirm)
			last(s.parties[2], model.Acking).Seq = 1
		}},
		"a report of what asked for none": {model.Miscounted, func(s *stage) {
			s.reports(s.says(0, send("unasked")))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := good()
			c.play(s)
			assert.Contains(t, model.Check(s.run()).Faults, c.fault)
		})
	}
}
