package application_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

var confirmSeed = flag.Uint64("confirm.seed", 0, "run the confirmation property with this seed only")

// TestConfirm_property plays random histories of messages that are to be confirmed, among users who confirm
// them in every way or not at all, come, go, drop and come back. After each step, who was asked for what and
// what each sender was told must be what a plain model says: so each delivery is reported once and counted
// right. In the end nothing may be left.
func TestConfirm_property(t *testing.T) {
	seeds := []uint64{1, 2, 3, 4, rand.Uint64()}
	if *confirmSeed != 0 {
		seeds = []uint64{*confirmSeed}
	}
	var counts confirmCounts
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("-confirm.seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playConfirm(t, seed, &counts) })
		})
	}
	if *confirmSeed == 0 {
		counts.check(t)
	}
}

// confirmCounts is what the histories must have contained, all together.
type confirmCounts struct {
	complete, partial, replayed, retried, late, tired, left, timeout, afterAll, untold, heardLater, alone, over int
}

func (c confirmCounts) check(t *testing.T) {
	for what, n := range map[string]int{
		"complete": c.complete, "partial": c.partial, "asked by a replay": c.replayed, "asked again": c.retried,
		"asked again after coming back": c.late, "given up after all tries": c.tired, "given up for having left": c.left,
		"given up for being away too long": c.timeout, "confirmed after having been given up": c.afterAll,
		"a sender away": c.untold, "a sender who came back": c.heardLater, "nobody to confirm": c.alone, "confirmed what was over": c.over,
	} {
		assert.Greater(t, n, 2, "it hardly happened: %s", what)
	}
}

func playConfirm(t *testing.T, seed uint64, counts *confirmCounts) {
	cfg := config()
	cfg.ConfirmWindow = window
	p := &confirmPlay{
		world:  newWorld(t, cfg),
		t:      t,
		random: rand.New(rand.NewPCG(seed, 0)),
		model:  newConfirmModel(counts),
		away:   map[domain.SessionID]domain.Absence{},
		ids:    map[domain.DeliveryID]tracked{},
	}
	for step := range 3000 {
		at := fmt.Sprintf("seed %d, step %d: ", seed, step) + p.step()
		synctest.Wait()
		p.compare(at)
	}
	time.Sleep(window + allTries)
	synctest.Wait()
	p.model.advance()
	p.compare(fmt.Sprintf("seed %d: in the end", seed))
	time.Sleep(window) // what nobody came back to hear
	synctest.Wait()
	for _, d := range p.model.deliveries {
		require.True(t, d.over)
	}
	p.holdsNothing()
}

type confirmPlay struct {
	*world
	t      *testing.T
	random *rand.Rand
	model  *confirmModel
	opened int
	away   map[domain.SessionID]domain.Absence
	// ids are the deliveries that somebody was asked to confirm.
	ids map[domain.DeliveryID]tracked
}

// step does one thing to the chat and the same to the model.
func (p *confirmPlay) step() string {
	c := playRooms[p.random.IntN(len(playRooms))]
	choice := p.random.IntN(100)
	open := slices.Sorted(maps.Keys(p.model.sessions))
	if len(open) == 0 || choice < 8 && len(open) < 9 {
		p.opened++
		id, user := domain.SessionID(fmt.Sprint("s", p.opened)), playUsers[p.random.IntN(len(playUsers))]
		p.connect(id, user)
		p.model.sessions[id] = user
		return fmt.Sprintf("%s of %s connects", id, user)
	}
	id := open[p.random.IntN(len(open))]
	switch {
	case choice < 22:
		for _, r := range p.join(id, c).Reports {
			p.recorder.mark(id, r)
		}
		p.model.joins(id, c, p.model.heads[c])
		return fmt.Sprintf("%s joins %s", id, c)
	case choice < 42:
		return p.sends(id, c)
	case choice < 60:
		return p.confirms(id)
	case choice < 65:
		return p.acknowledges(id, c)
	case choice < 69:
		err := p.Leave(ctx, id, c)
		require.Equal(p.t, p.model.goes(id, c), err == nil)
		return fmt.Sprintf("%s leaves %s", id, c)
	case choice < 71:
		p.Disconnect(ctx, id, ports.Left)
		for _, c := range playRooms {
			p.model.goes(id, c)
		}
		p.model.disconnect(id, true)
		p.model.parts(id)
		return fmt.Sprintf("%s says goodbye", id)
	case choice < 76:
		p.away[id] = p.Disconnect(ctx, id, ports.Dropped)
		p.model.disconnect(id, false)
		p.model.parts(id)
		return fmt.Sprintf("%s drops", id)
	case choice < 82 && len(p.away) > 0:
		return p.comesBack()
	}
	d := time.Duration(1+p.random.IntN(5)) * time.Second
	if p.random.IntN(12) == 0 {
		d *= 30
	}
	time.Sleep(d)
	synctest.Wait()
	p.model.advance()
	return fmt.Sprintf("%v pass", d)
}

func (p *confirmPlay) sends(id domain.SessionID, c domain.ConversationID) string {
	send := ports.Send{Conversation: c, Content: "hello", Confirm: p.random.IntN(5) > 0}
	r, err := p.Send(ctx, id, send)
	if !p.model.within(id, c) {
		assertCode(p.t, domain.CodeNotInConversation, err)
		return fmt.Sprintf("%s may not send to %s", id, c)
	}
	require.NoError(p.t, err)
	p.model.heads[c] = r.At.Seq
	if !send.Confirm {
		return fmt.Sprintf("%s sends to %s", id, c)
	}
	p.model.accept(id, c, r)
	return fmt.Sprintf("%s sends %d to %s and asks", id, r.At.Seq, c)
}

// confirms lets the session confirm something: mostly what it should, sometimes what it should not.
func (p *confirmPlay) confirms(id domain.SessionID) string {
	var choices []domain.DeliveryID
	for _, d := range p.known() {
		if one := p.model.deliveries[p.ids[d]]; !one.over && !one.confirmed[p.model.sessions[id]] {
			choices = append(choices, d)
		}
	}
	if len(choices) == 0 || p.random.IntN(10) == 0 {
		choices = p.known()
	}
	if len(choices) == 0 {
		return "nothing to confirm"
	}
	d := choices[p.random.IntN(len(choices))]
	p.Confirm(ctx, id, d)
	p.model.confirm(p.ids[d], p.model.sessions[id])
	return fmt.Sprintf("%s confirms %v", id, p.ids[d])
}

// known returns the deliveries in the order of their messages: that of their ids is not the same every time.
func (p *confirmPlay) known() []domain.DeliveryID {
	return slices.SortedFunc(maps.Keys(p.ids), func(a, b domain.DeliveryID) int {
		x, y := p.ids[a], p.ids[b]
		return cmp.Or(cmp.Compare(x.conversation, y.conversation), cmp.Compare(x.seq, y.seq))
	})
}

func (p *confirmPlay) acknowledges(id domain.SessionID, c domain.ConversationID) string {
	head, err := p.log.Head(ctx, c)
	require.NoError(p.t, err)
	seq := head.Seq - min(head.Seq, uint64(p.random.IntN(4)))
	err = p.Acknowledge(ctx, id, c, seq)
	if !p.model.within(id, c) {
		assertCode(p.t, domain.CodeNotInConversation, err)
		return fmt.Sprintf("%s may not acknowledge %s", id, c)
	}
	require.NoError(p.t, err)
	for n := range seq {
		p.model.confirm(tracked{c, n + 1}, p.model.sessions[id])
	}
	return fmt.Sprintf("%s acknowledges %s up to %d", id, c, seq)
}

func (p *confirmPlay) comesBack() string {
	ids := slices.Sorted(maps.Keys(p.away))
	id := ids[p.random.IntN(len(ids))]
	from := p.away[id]
	delete(p.away, id)
	require.True(p.t, p.recovers(id, from))
	p.model.recovers(id, from)
	return fmt.Sprintf("%s recovers", id)
}

// compare checks what each session was asked and told in this step.
func (p *confirmPlay) compare(at string) {
	for _, id := range p.recorder.untaken() {
		var told []domain.MessageDelivered
		var asked []tracked
		for _, e := range p.recorder.take(id) {
			switch e := e.(type) {
			case domain.MessageSent:
				if e.Delivery == 0 {
					continue
				}
				what := tracked{e.Message.Conversation, e.Message.Seq}
				if was, known := p.ids[e.Delivery]; known {
					require.Equal(p.t, was, what, "%s: one id for two messages", at)
				}
				p.ids[e.Delivery] = what
				asked = append(asked, what)
			case domain.MessageDelivered:
				told = append(told, e)
			}
		}
		require.ElementsMatch(p.t, p.model.asked[id], asked, "%s: asked of %s", at, id)
		require.ElementsMatch(p.t, p.model.reported[id], told, "%s: told to %s", at, id)
		delete(p.model.asked, id)
		delete(p.model.reported, id)
	}
	require.Empty(p.t, p.model.asked, at)
	require.Empty(p.t, p.model.reported, at)
	require.Equal(p.t, p.model.underWay(), p.UnderWay().Deliveries, at)
}

// tracked is a message that is to be confirmed.
type tracked struct {
	conversation domain.ConversationID
	seq          uint64
}

// confirmModel is the rule in plain words, on top of who is present.
type confirmModel struct {
	*presenceModel
	deliveries map[tracked]*deliveryModel
	asked      map[domain.SessionID][]tracked
	reported   map[domain.SessionID][]domain.MessageDelivered
	// heads are the places of the newest messages; follows is from where on each session gets them.
	heads   map[domain.ConversationID]uint64
	follows map[tracks]uint64
	// unheard are the reports that waited for their senders.
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
	// next is when those who are awaited are asked again.
	next            time.Time
	tries           int
	expected        []domain.UserID
	confirmed, gone map[domain.UserID]bool
	// late counts, for those who were away at one of the tries, the tries since.
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

// joins puts the session into the conversation, whose messages behind seq it gets, and tells it what its user
// has not heard.
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

// parts forgets from where on the session gets messages.
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

// goes takes the session out of the conversation. If its user is gone by that, nobody waits for it.
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

// recovers puts the session back and asks for what it has missed and is awaited of it.
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

// advance lets everything happen whose time has come.
func (m *confirmModel) advance() {
	m.presenceModel.advance()
	for _, d := range m.deliveries {
		for !d.over && !d.next.After(time.Now()) {
			m.ask(d)
		}
	}
}

// ask asks everybody again who is awaited and there.
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

// close reports the delivery if nobody is awaited any more.
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
