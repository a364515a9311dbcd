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

// TestConfirm_property plays random histories of messages that are to be confirmed, among users who confirm them in
// every way or not at all, come, go, drop and come back. After each step, who was asked to confirm what, and what each
// sender was told, must be what a plain model says: each delivery is reported once and counted right. At the end
// nothing may be left.
func TestConfirm_property(t *testing.T) {
	var counts confirmCounts
	for _, seed := range seeds(*confirmSeed) {
		t.Run(fmt.Sprintf("-confirm.seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playConfirm(t, seed, &counts) })
		})
	}
	if *confirmSeed == 0 {
		counts.check(t)
	}
}

// confirmCounts counts what the histories must have contained, all taken together.
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
	time.Sleep(window) // for the reports that nobody came back to get
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

// confirms lets the session confirm a delivery: mostly one that waits for it, sometimes another one.
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

// known returns the deliveries in the order of their messages, because the order of the ids differs from run to run.
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
