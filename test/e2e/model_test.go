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
	// steady is how many parties never drop by themselves, each of another user: what they know is unbroken.
	steady = 20
	// modelTime is how long they talk, and leastActs how much each of them does at least, on a machine that is busy.
	modelTime = 7 * time.Second
	leastActs = 12
	// mute is a user who does not acknowledge the first messages of any conversation: they are given up.
	mute       = "user-3"
	muteUntil  = 12
	maxContent = 2_000
)

var modelConversations = []string{"c-0", "c-1", "c-2", "c-3", "c-4", "c-5", "c-6", "c-7"}

// TestModel: people come, talk, repeat themselves, drop, recover, leave and come back at random, all at once. What all
// of them have seen afterwards must be one truth, with nothing lost, doubled or out of order.
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

// company is the parties of a run.
type company struct {
	server  *server
	parties []*party
	// end is modelTime after all have come, however long that takes.
	end time.Time

	mu sync.Mutex
	// said are the latest messages of each user that may be repeated by any of their parties.
	said map[string][]model.Send
	// unreported are the messages that wait for their report, or may, by conversation and id.
	unreported map[[2]string]unreported
}

// unreported is a message that asks for confirmation.
type unreported struct {
	user string
	sent time.Time
	// heard says that somebody has heard it, so it was accepted; over that it has its report.
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
	// The one who is mute is where all are, so that much is given up.
	for _, i := range p.random.Perm(len(modelConversations))[:3] {
		if err := p.steadily(func() error { return p.join(modelConversations[i], false) }); err != nil {
			return err
		}
	}
	return nil
}

// live is a party's life from then on.
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

// act does one thing.
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

// speak says something new, now and then twice at once.
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

// repeat sends a message of its user again, also one that another party is just sending.
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

// confirming reports whether messages may ask for confirmation: not in the end, which would have to wait for them.
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

// offend sends what must be refused: to where it is not, or to where it is and wrong.
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

// lost tells that a send that failed was one on a lost connection.
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

// count numbers the party's messages.
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
