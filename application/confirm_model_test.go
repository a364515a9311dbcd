package application_test

import (
	"maps"
	"slices"
	"time"

	"parley/domain"
	"parley/ports"
)

// tracked is a message that is to be confirmed.
type tracked struct {
	conversation domain.ConversationID
	seq          uint64
}

// confirmModel is the rules of confirmation in their plainest form, on top of the model of who is present.
type confirmModel struct {
	*presenceModel
	deliveries map[tracked]*deliveryModel
	asked      map[domain.SessionID][]tracked
	reported   map[domain.SessionID][]domain.MessageDelivered
	// heads holds the seq of each conversation's newest message, follows the seq after which each session gets messages.
	heads   map[domain.ConversationID]uint64
	follows map[tracks]uint64
	// unheard holds the reports that wait for their senders.
	unheard map[domain.UserID][]domain.MessageDelivered
	counts  *confirmCounts
}

// tracks is a session in a conversation.
type tracks struct {
	session      domain.SessionID
	conversation domain.ConversationID
}

type deliveryModel struct {
	tracked
	id     domain.MessageID
	sender domain.UserID
	sent   time.Time
	// next is when the users who are waited for are asked again.
	next            time.Time
	tries           int
	expected        []domain.UserID
	confirmed, gone map[domain.UserID]bool
	// late counts, for users who were away at one of the tries, the tries since.
	late map[domain.UserID]int
	over bool
}

func newConfirmModel(counts *confirmCounts) *confirmModel {
	return &confirmModel{
		counts:        counts,
		presenceModel: newPresenceModel(), deliveries: map[tracked]*deliveryModel{},
		asked: map[domain.SessionID][]tracked{}, reported: map[domain.SessionID][]domain.MessageDelivered{},
		heads: map[domain.ConversationID]uint64{}, follows: map[tracks]uint64{},
		unheard: map[domain.UserID][]domain.MessageDelivered{},
	}
}

func (m *confirmModel) within(id domain.SessionID, c domain.ConversationID) bool {
	present, in := m.rooms[c][m.sessions[id]]
	return in && present.sessions[id]
}

// joins puts the session into the conversation, whose messages after seq it gets, and tells it the reports that wait
// for its user there.
func (m *confirmModel) joins(id domain.SessionID, c domain.ConversationID, seq uint64) {
	m.join(id, c)
	if was, there := m.follows[tracks{id, c}]; !there || seq < was {
		m.follows[tracks{id, c}] = seq
	}
	user := m.sessions[id]
	m.unheard[user] = slices.DeleteFunc(m.unheard[user], func(r domain.MessageDelivered) bool {
		if r.Conversation != c {
			return false
		}
		if r.At.Add(window).After(time.Now()) {
			m.reported[id] = append(m.reported[id], r)
			m.counts.heardLater++
		}
		return true
	})
}

// parts forgets which messages the session gets.
func (m *confirmModel) parts(id domain.SessionID) {
	for _, c := range playRooms {
		delete(m.follows, tracks{id, c})
	}
}

// accept begins a delivery to all members but the sender; all sessions are asked.
func (m *confirmModel) accept(id domain.SessionID, c domain.ConversationID, r ports.Receipt) {
	d := &deliveryModel{
		tracked: tracked{c, r.At.Seq}, id: r.Message, sender: m.sessions[id], sent: time.Now(),
		next: time.Now().Add(2 * time.Second), tries: 1,
		confirmed: map[domain.UserID]bool{}, gone: map[domain.UserID]bool{}, late: map[domain.UserID]int{},
	}
	for user, present := range m.rooms[c] {
		if user != d.sender {
			d.expected = append(d.expected, user)
		}
		for session := range present.sessions {
			m.asked[session] = append(m.asked[session], d.tracked)
		}
	}
	m.deliveries[d.tracked] = d
	if len(d.expected) == 0 {
		m.counts.alone++
	}
	m.close(d, time.Now())
}

func (m *confirmModel) confirm(what tracked, user domain.UserID) {
	d := m.deliveries[what]
	if d == nil || !slices.Contains(d.expected, user) {
		return
	}
	if d.over {
		m.counts.over++
		return
	}
	if d.gone[user] && !d.confirmed[user] {
		m.counts.afterAll++
	}
	d.confirmed[user] = true
	m.close(d, time.Now())
}

// goes takes the session out of the conversation. If its user has left by that, no delivery waits for the user any more.
func (m *confirmModel) goes(id domain.SessionID, c domain.ConversationID) (was bool) {
	user := m.sessions[id]
	if was = m.leave(id, c); !was {
		return false
	}
	delete(m.follows, tracks{id, c})
	if _, stays := m.rooms[c][user]; stays {
		return true
	}
	for _, d := range m.deliveries {
		if d.conversation == c && d.awaits(user) {
			d.gone[user] = true
			m.counts.left++
			m.close(d, time.Now())
		}
	}
	return true
}

// recovers puts the session back and asks it again to confirm what it has missed, if its user is waited for.
func (m *confirmModel) recovers(id domain.SessionID, from domain.Absence) {
	m.sessions[id] = from.User
	for _, p := range from.Places {
		m.joins(id, p.Conversation, p.At.Seq)
		for _, d := range m.deliveries {
			if d.conversation == p.Conversation && d.seq > p.At.Seq && d.awaits(from.User) {
				m.asked[id] = append(m.asked[id], d.tracked)
				m.counts.replayed++
			}
		}
	}
}

// advance does everything that is due by now.
func (m *confirmModel) advance() {
	m.presenceModel.advance()
	for _, d := range m.deliveries {
		for !d.over && !d.next.After(time.Now()) {
			m.ask(d)
		}
	}
}

// ask asks the users again who are waited for and have a session that gets the message.
func (m *confirmModel) ask(d *deliveryModel) {
	now := d.next
	tooLate := now.Sub(d.sent) >= window
	for _, user := range d.expected {
		if !d.awaits(user) {
			continue
		}
		var here []domain.SessionID
		if present := m.rooms[d.conversation][user]; present != nil {
			here = slices.DeleteFunc(slices.Collect(maps.Keys(present.sessions)), func(id domain.SessionID) bool {
				return m.follows[tracks{id, d.conversation}] >= d.seq
			})
		}
		late, dropped := d.late[user]
		switch {
		case tooLate:
			d.gone[user] = true
			m.counts.timeout++
			continue
		case len(here) == 0:
			d.late[user] = late
			continue
		case dropped:
			d.late[user]++
			late++
			m.counts.late++
		default:
			late = d.tries
		}
		if dropped && late > 3 || !dropped && late >= 3 {
			d.gone[user] = true
			m.counts.tired++
			continue
		}
		for _, session := range here {
			m.asked[session] = append(m.asked[session], d.tracked)
			m.counts.retried++
		}
	}
	d.tries++
	d.next = now.Add(map[int]time.Duration{2: 4 * time.Second}[d.tries])
	if d.tries > 2 {
		d.next = now.Add(8 * time.Second)
	}
	m.close(d, now)
}

// close reports the delivery if nobody is waited for any more.
func (m *confirmModel) close(d *deliveryModel, now time.Time) {
	if d.over || slices.ContainsFunc(d.expected, d.awaits) {
		return
	}
	d.over = true
	report := domain.MessageDelivered{
		Conversation: d.conversation, Message: d.id, Seq: d.seq, Expected: len(d.expected), At: now,
	}
	for _, user := range slices.Sorted(slices.Values(d.expected)) {
		if d.confirmed[user] {
			report.Delivered++
			continue
		}
		report.Pending = append(report.Pending, user)
	}
	if len(report.Pending) > 0 {
		m.counts.partial++
	} else {
		m.counts.complete++
	}
	told := false
	for id, user := range m.sessions {
		if user == d.sender {
			m.reported[id] = append(m.reported[id], report)
			told = true
		}
	}
	if !told {
		m.unheard[d.sender] = append(m.unheard[d.sender], report)
		m.counts.untold++
	}
}

func (d *deliveryModel) awaits(user domain.UserID) bool {
	return slices.Contains(d.expected, user) && !d.confirmed[user] && !d.gone[user]
}

func (m *confirmModel) underWay() (n int) {
	for _, d := range m.deliveries {
		if !d.over {
			n++
		}
	}
	return n
}
