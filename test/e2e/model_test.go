package e2e_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/model"
)

var modelSeed = flag.Uint64("model.seed", 0, "seed of TestModel; 0 for a new one")

const (
	modelParties = 60
	modelUsers   = 25
	// steady is how many parties never drop their connection, each of a different user: their logs have no gap.
	steady = 20
	// modelTime is how long they talk, and leastActs how many things each does at least, also on a busy machine.
	modelTime = 7 * time.Second
	leastActs = 12
	// mute is a user who acknowledges nothing in any conversation up to seq muteUntil, so that the server gives up on it.
	mute      = "user-3"
	muteUntil = 12
	// maxContent is MAX_CONTENT here, in bytes.
	maxContent = 2_000
)

var modelConversations = []string{"c-0", "c-1", "c-2", "c-3", "c-4", "c-5", "c-6", "c-7"}

// TestModel has clients come, talk, repeat themselves, drop, recover, leave and come back at random, all at the same
// time. What they have seen must agree afterwards, with nothing lost, doubled or out of order.
func TestModel(t *testing.T) {
	t.Parallel()
	seed := *modelSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("replay this choice of actions with -model.seed=%d", seed)
	c := newCompany(t, seed)
	var all sync.WaitGroup
	for _, p := range c.parties {
		all.Go(func() { assert.NoError(t, c.arrive(p), "party %d", p.number) })
	}
	all.Wait()
	require.False(t, t.Failed())
	c.end = time.Now().Add(modelTime)
	for _, p := range c.parties {
		all.Go(func() { assert.NoError(t, c.live(p), "party %d", p.number) })
	}
	all.Wait()
	require.False(t, t.Failed())
	run := c.settle(t)
	verdict := model.Check(run)
	t.Log(verdict)
	require.Empty(t, verdict.Faults)
	c.assertMuch(t, verdict)
	sabotage(t, rand.New(rand.NewPCG(seed, 0)), run)
}

// company is all parties of a run.
type company struct {
	server  *server
	parties []*party
	// end is modelTime after the last of them has arrived.
	end time.Time

	mu sync.Mutex
	// said are the messages of each user, which any of the user's parties may repeat.
	said map[string][]model.Send
	// unreported are the messages that ask for confirmation, by conversation and id.
	unreported map[[2]string]unreported
}

// unreported is a message that asks for confirmation, and what is known of its report.
type unreported struct {
	user string
	sent time.Time
	// heard says that a client has got the message, so it was accepted; over says that it has been reported.
	heard, over bool
}

func newCompany(t *testing.T, seed uint64) *company {
	c := &company{said: map[string][]model.Send{}, unreported: map[[2]string]unreported{}, server: boot(t, map[string]string{
		"RECOVERY_WINDOW": "10s", "PRESENCE_GRACE": "1s", "PING_INTERVAL": "2s", "PING_TIMEOUT": "5s",
		"MAX_CONTENT": fmt.Sprint(maxContent),
	})}
	for i := range modelParties {
		c.parties = append(c.parties, c.newParty(t, seed, i, fmt.Sprintf("user-%d", i%modelUsers)))
	}
	return c
}

func (c *company) newParty(t *testing.T, seed uint64, number int, user string) *party {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": user, "exp": time.Now().Add(time.Hour).Unix(), "conversations": []string{"c-*"},
	}).SignedString([]byte(secret))
	require.NoError(t, err)
	p := &party{
		address: c.server.app.URL(), user: user, token: token, number: number,
		random: rand.New(rand.NewPCG(seed, uint64(number+1))), polls: number%3 == 2,
		places: map[string]*standpoint{}, reported: c.reported, heard: c.heard,
	}
	acks := rand.New(rand.NewPCG(seed, uint64(1_000+number)))
	p.acks = func(m model.Message) bool {
		if user == mute {
			return m.Seq > muteUntil
		}
		return acks.IntN(8) > 0
	}
	t.Cleanup(func() {
		if p.link != nil {
			p.drop()
		}
	})
	return p
}

// arrive connects the party and brings it into some conversations.
func (c *company) arrive(p *party) error {
	if err := p.connect(false); err != nil {
		return err
	}
	// Everyone, the mute user too, joins three of the eight: so the mute one has many messages to leave unacknowledged.
	for _, i := range p.random.Perm(len(modelConversations))[:3] {
		if err := p.steadily(func() error { return p.join(modelConversations[i], false) }); err != nil {
			return err
		}
	}
	return nil
}

// live has the party act until the end, and come back whenever its connection is lost.
func (c *company) live(p *party) error {
	for acts := 0; acts < leastActs || time.Now().Before(c.end); acts++ {
		err := c.act(p)
		if err == nil && p.lives() {
			pause(time.Duration(20+p.random.IntN(200)) * time.Millisecond)
			continue
		}
		if err != nil && !errors.Is(err, errGone) {
			return err
		}
		if !p.lives() {
			if err := p.comeBack(false); err != nil && !errors.Is(err, errGone) {
				return err
			}
		}
	}
	return nil
}

// act does one thing at random.
func (c *company) act(p *party) error {
	in := p.where(func(at *standpoint) bool { return at.in })
	out := slices.DeleteFunc(slices.Clone(modelConversations), func(name string) bool { return slices.Contains(in, name) })
	switch dice := p.random.IntN(100); {
	case len(in) == 0:
		return p.join(out[p.random.IntN(len(out))], false)
	case dice < 54:
		return c.speak(p, in[p.random.IntN(len(in))])
	case dice < 63:
		return c.repeat(p)
	case dice < 70:
		return c.offend(p, in[p.random.IntN(len(in))], out)
	case dice < 74 && len(out) > 0:
		return p.join(out[p.random.IntN(len(out))], false)
	case dice < 77:
		return p.join(in[p.random.IntN(len(in))], false)
	case dice < 80 && len(in) > 1:
		return p.leave(in[p.random.IntN(len(in))])
	case dice < 84:
		_, err := p.present(in[p.random.IntN(len(in))])
		return err
	case dice < 86:
		_, err := p.read(in[p.random.IntN(len(in))], uint64(p.random.IntN(200)), 1+p.random.IntN(30))
		return err
	case dice < 92 && p.user != mute:
		return p.acknowledge(in[p.random.IntN(len(in))])
	case dice < 99 && p.number >= steady:
		p.drop()
		pause(time.Duration(p.random.IntN(400)) * time.Millisecond)
	case dice == 99 && p.number >= steady:
		p.goodbye()
	}
	return nil
}

// speak sends a new message, now and then twice in a row.
func (c *company) speak(p *party, name string) error {
	n := p.count()
	send := model.Send{
		Conversation: name, Content: fmt.Sprintf("%d of party %d", n, p.number),
		Confirm: c.confirming() && p.random.IntN(6) == 0,
	}
	if send.Confirm || p.random.IntN(3) > 0 {
		send.ID = fmt.Sprintf("%d-%d", p.number, n)
	}
	if send.NoEcho = p.random.IntN(8) == 0; !send.NoEcho && send.ID != "" {
		c.remember(p.user, send)
	}
	if err := c.say(p, send); err != nil {
		return errors.Join(errGone, err)
	}
	if send.ID != "" && p.random.IntN(6) == 0 {
		return c.lost(c.say(p, send))
	}
	return nil
}

// repeat sends one of its user's latest messages again. Another party may be sending the same one at this moment.
func (c *company) repeat(p *party) error {
	c.mu.Lock()
	all := c.said[p.user]
	c.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	send := all[len(all)-1-p.random.IntN(min(len(all), 5))]
	return c.lost(c.say(p, send))
}

func (c *company) say(p *party, send model.Send) error {
	key := [2]string{send.Conversation, send.ID}
	if send.Confirm {
		c.mu.Lock()
		if _, known := c.unreported[key]; !known {
			c.unreported[key] = unreported{user: p.user, sent: time.Now()}
		}
		c.mu.Unlock()
	}
	return p.say(send, nil, func(answer) {})
}

// confirming reports whether messages may still ask for confirmation: not in the last third, or settle would have to
// wait for their reports.
func (c *company) confirming() bool { return time.Until(c.end) > modelTime/3 }

// reported notes that a message has its report.
func (c *company) reported(r model.Report) {
	c.learn(r.ConversationID, r.MessageID, func(u *unreported) { u.over = true })
}

// heard notes that a message was accepted.
func (c *company) heard(m model.Message) {
	c.learn(m.ConversationID, m.MessageID, func(u *unreported) { u.heard = true })
}

func (c *company) learn(name, id string, change func(*unreported)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if u, asks := c.unreported[[2]string{name, id}]; asks {
		change(&u)
		c.unreported[[2]string{name, id}] = u
	}
}

// offend sends a message that must be refused: to a conversation that the party is not in, or an invalid one.
func (c *company) offend(p *party, in string, out []string) error {
	send := model.Send{
		Conversation: in, Content: fmt.Sprintf("%d of party %d, to be refused ", p.count(), p.number),
		Confirm: p.random.IntN(2) == 0, Bad: true,
	}
	var more map[string]any
	switch p.random.IntN(5) {
	case 0:
		if len(out) > 0 {
			send.Conversation = out[p.random.IntN(len(out))]
			break
		}
		fallthrough
	case 1:
		send.Conversation = "forbidden"
	case 2:
		send.Content += strings.Repeat("x", maxContent)
	case 3:
		more = map[string]any{"messageId": "not an id"}
	case 4:
		more = map[string]any{"metadata": []int{1}}
	}
	return c.lost(p.say(send, more, func(answer) {}))
}

// lost marks an error of a send as errGone: sends fail only on a lost connection.
func (c *company) lost(err error) error {
	if err != nil {
		return errors.Join(errGone, err)
	}
	return nil
}

func (c *company) remember(user string, send model.Send) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said[user] = append(c.said[user], send)
}

// count returns a number for a new message of the party. It shares its counter with the ack ids.
func (p *party) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	return p.asked
}

// assertMuch asserts that enough has happened for the verdict to mean something.
func (c *company) assertMuch(t *testing.T, v *model.Verdict) {
	for what, n := range map[string]int{
		"accepted": v.Accepted / 50, "deliveries": v.Deliveries / 500, "replayed": v.Replayed, "repeats": v.Repeats,
		"duplicates": v.Duplicates, "refused": v.RefusedSends, "recovered": v.Recovered, "changes": v.Changes,
		"confirmed": v.Confirmed, "partial": v.Partial, "exact": v.Exact,
	} {
		assert.Positive(t, n, "too little happened: %s", what)
	}
}
