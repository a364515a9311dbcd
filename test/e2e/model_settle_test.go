package e2e_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/model"
)

// settleTime bounds the wait for what the server finds out only in time: that a connection is lost, that nobody will
// acknowledge a message.
const settleTime = time.Minute

// settle brings everyone back, waits until nothing is under way any more, and returns the logs of all parties with the
// server's own view of each conversation.
func (c *company) settle(t *testing.T) model.Run {
	c.each(t, func(p *party) error {
		if !p.lives() {
			if err := p.comeBack(true); err != nil {
				return err
			}
		}
		for _, name := range p.where(func(at *standpoint) bool { return at.lost }) {
			if err := p.join(name, true); err != nil {
				return err
			}
		}
		return nil
	})
	// The first barrier waits until the server has handled what was sent before it, the second until everyone has received
	// what followed from that: a client's answers come in order behind its events.
	c.barrier(t)
	c.barrier(t)
	c.each(t, func(p *party) error {
		for _, name := range p.where(func(at *standpoint) bool { return at.in }) {
			if p.user != mute {
				if err := p.acknowledge(name); err != nil {
					return err
				}
			}
		}
		return nil
	})
	c.waitForReports()
	run := model.Run{Conversations: map[string]model.Conversation{}}
	members := map[string][]string{}
	for _, name := range modelConversations {
		members[name] = c.waitForPresence(t, name)
	}
	c.barrier(t)
	for _, p := range c.parties {
		run.Parties = append(run.Parties, p.freeze())
	}
	auditor := c.newParty(t, 0, modelParties, "auditor")
	require.NoError(t, auditor.connect(false))
	for _, name := range modelConversations {
		run.Conversations[name] = audit(t, auditor, name, members[name])
	}
	return run
}

// each calls f for all parties at the same time, again for a party that loses its connection, and waits for all.
func (c *company) each(t *testing.T, f func(*party) error) {
	t.Helper()
	var all sync.WaitGroup
	for _, p := range c.parties {
		all.Go(func() { assert.NoError(t, p.steadily(func() error { return f(p) }), "party %d", p.number) })
	}
	all.Wait()
	require.False(t, t.Failed())
}

// barrier waits until everyone has got what was sent to them before: it stands in the outbox ahead of the answer.
func (c *company) barrier(t *testing.T) {
	t.Helper()
	c.each(t, func(p *party) error {
		_, err := p.present("nowhere")
		return err
	})
}

// waitForReports waits until every message that asked for confirmation has its report, except where no client of the
// sender has been connected ever since: then nobody need be told. It gives up after settleTime; the verdict then says
// what is missing.
func (c *company) waitForReports() {
	since := map[string]time.Time{}
	for _, p := range c.parties {
		p.mu.Lock()
		if first, known := since[p.user]; !known || p.since.Before(first) {
			since[p.user] = p.since
		}
		p.mu.Unlock()
	}
	for deadline := time.Now().Add(settleTime); c.anyUnreported(since) && time.Now().Before(deadline); {
		pause(20 * time.Millisecond)
	}
}

func (c *company) anyUnreported(since map[string]time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range c.unreported {
		if u.heard && !u.over && u.sent.After(since[u.user]) {
			return true
		}
	}
	return false
}

// waitForPresence waits until the server lists exactly the users whose clients are in the conversation, and returns the
// server's last list. It gives up after settleTime; the verdict then says what is wrong.
func (c *company) waitForPresence(t *testing.T, name string) (said []string) {
	var truth []string
	var witness *party
	for _, p := range c.parties {
		if len(p.where(func(at *standpoint) bool { return at.in && at == p.places[name] })) > 0 {
			truth, witness = append(truth, p.user), p
		}
	}
	if witness == nil {
		return nil
	}
	slices.Sort(truth)
	truth = slices.Compact(truth)
	for deadline := time.Now().Add(settleTime); ; pause(20 * time.Millisecond) {
		require.NoError(t, witness.steadily(func() (err error) {
			said, err = witness.present(name)
			return err
		}))
		if slices.Equal(said, truth) || time.Now().After(deadline) {
			return said
		}
	}
}

// freeze ends the party's log and returns it.
func (p *party) freeze() model.Party {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = true
	return model.Party{User: p.user, Records: p.records}
}

// audit reads the whole history of the conversation.
func audit(t *testing.T, p *party, name string, members []string) model.Conversation {
	require.NoError(t, p.join(name, false))
	c := model.Conversation{Members: members}
	for {
		page, err := p.read(name, uint64(len(c.Log)), 200)
		require.NoError(t, err)
		require.True(t, page.OK)
		c.Epoch = page.Epoch
		c.Log = append(c.Log, page.Messages...)
		if !page.More {
			return c
		}
	}
}

// sabotage proves that the check of a real run can fail: it falsifies the logs of this good one and asserts that the
// checker finds it. The checker's own test tries every spoiler; here it is two at random, and the last, which needs a
// run as long as this.
func sabotage(t *testing.T, random *rand.Rand, run model.Run) {
	all := model.Spoilers()
	last := len(all) - 1
	random.Shuffle(last, func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, spoil := range append(all[:2], all[last]) {
		spoilt, done := spoil.Do(random, run)
		require.True(t, done, "the run has nothing to spoil: %s", spoil.Name)
		assert.Contains(t, model.Check(spoilt).Faults, spoil.Fault, spoil.Name)
	}
}
