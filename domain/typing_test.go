package domain_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

// The specification's figures, written down a second time on purpose.
const (
	typingPause  = 250 * time.Millisecond
	typingRepeat = 2 * time.Second
	typingExpiry = 6 * time.Second
)

// told is one event that the others got.
type told struct {
	at       time.Duration
	isTyping bool
}

// typist drives a Typing as its caller must: it calls Tell after each Hear and at each Next.
type typist struct {
	domain.Typing
	now, next time.Duration
	told      []told
}

// clock is the time after the test began; it does not begin with the zero time, which means never.
func clock(d time.Duration) time.Time { return noon.Add(d) }

// wait lets time pass until the given one, with what was to be done meanwhile.
func (p *typist) wait(until time.Duration) {
	for p.next > 0 && p.next <= until {
		p.now = p.next
		p.look()
	}
	p.now = until
}

func (p *typist) hear(isTyping bool) {
	p.Hear(isTyping, clock(p.now))
	p.look()
}

func (p *typist) look() {
	if isTyping, tell := p.Tell(clock(p.now)); tell {
		p.told = append(p.told, told{p.now, isTyping})
	}
	p.next = 0
	if next := p.Next(clock(p.now)); !next.IsZero() {
		p.next = next.Sub(noon)
	}
}

func TestTyping(t *testing.T) {
	const ms = time.Millisecond
	// a step says what the user says when.
	type step struct {
		at       time.Duration
		isTyping bool
	}
	for name, c := range map[string]struct {
		said []step
		want []told
	}{
		"who starts and says nothing more stops by itself": {
			[]step{{0, true}}, []told{{0, true}, {typingExpiry, false}},
		},
		"who stops is told at once": {
			[]step{{0, true}, {1000 * ms, false}}, []told{{0, true}, {1000 * ms, false}},
		},
		"the first word is told also if it is no": {
			[]step{{0, false}}, []told{{0, false}},
		},
		"who stops in the pause is told at its end": {
			[]step{{0, true}, {100 * ms, false}}, []told{{0, true}, {typingPause, false}},
		},
		"who stops and starts in the pause goes on": {
			[]step{{0, true}, {100 * ms, false}, {200 * ms, true}}, []told{{0, true}, {200*ms + typingExpiry, false}},
		},
		"the expiry counts from the last word": {
			[]step{{0, true}, {1900 * ms, true}}, []told{{0, true}, {1900*ms + typingExpiry, false}},
		},
		"who goes on is told again, for those who came": {
			[]step{{0, true}, {1000 * ms, true}, {typingRepeat, true}, {typingRepeat + 1000*ms, true}},
			[]told{{0, true}, {typingRepeat, true}, {typingRepeat + 1000*ms + typingExpiry, false}},
		},
		"a word at the instant of the expiry keeps it going, and is told": {
			[]step{{0, true}, {typingExpiry, true}},
			[]told{{0, true}, {typingExpiry, false}, {typingExpiry + typingPause, true}, {2 * typingExpiry, false}},
		},
		"what was said at the end of the pause is told at once": {
			[]step{{0, true}, {typingPause, false}}, []told{{0, true}, {typingPause, false}},
		},
		"nothing is told twice by who repeats that it has stopped": {
			[]step{{0, true}, {300 * ms, false}, {400 * ms, false}, {500 * ms, false}},
			[]told{{0, true}, {300 * ms, false}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &typist{}
			for _, s := range c.said {
				p.wait(s.at)
				p.hear(s.isTyping)
			}
			p.wait(time.Minute)
			assert.Equal(t, c.want, p.told)
			assert.Zero(t, p.next, "the rest may be forgotten")
		})
	}
	t.Run("a flood is told four times a second", func(t *testing.T) {
		p := &typist{}
		for i := range 10_000 {
			p.wait(time.Duration(i) * ms)
			p.hear(i%2 == 0)
		}
		assert.LessOrEqual(t, len(p.told), 41)
		p.wait(time.Minute)
		assert.False(t, p.told[len(p.told)-1].isTyping, "the last word")
	})
}

// TestTyping_property plays random typing against the rules: never two events within the pause, what was
// said last is told within it, nobody types for longer than the expiry without a word, and who goes on is
// told again.
func TestTyping_property(t *testing.T) {
	for _, seed := range seeds() {
		t.Run(fmt.Sprintf("-domain.seed=%d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			for range 30 {
				playTyping(t, random)
			}
		})
	}
}

func playTyping(t *testing.T, random *rand.Rand) {
	p := &typist{}
	// The longest wait of this history: floods, ordinary typing, and long silences.
	longest := []int{2, 50, 400, 3000, 9000}[random.IntN(5)]
	// said is what the user said last, heard when; since is from when on said has held.
	var said bool
	var heard, since time.Duration
	check := func() {
		told := p.told[len(p.told)-1]
		truth, from := said, since
		if said && p.now-heard >= typingExpiry {
			truth, from = false, heard+typingExpiry
		}
		if p.now-from >= typingPause {
			require.Equal(t, truth, told.isTyping, "at %v, said %v at %v, told %v", p.now, said, heard, p.told)
		}
		if truth && p.now-heard < typingExpiry {
			require.LessOrEqual(t, heard-told.at, typingRepeat, "who goes on is told again")
		}
	}
	for range 200 {
		p.wait(p.now + time.Duration(random.IntN(longest))*time.Millisecond)
		if len(p.told) > 0 {
			check()
		}
		is := random.IntN(3) > 0
		if is != said || p.now-heard >= typingExpiry {
			since = p.now
		}
		said, heard = is, p.now
		p.hear(is)
		check()
	}
	p.wait(p.now + time.Hour)
	check()
	require.False(t, p.told[len(p.told)-1].isTyping)
	require.Zero(t, p.next)
	for i := 1; i < len(p.told); i++ {
		require.GreaterOrEqual(t, p.told[i].at-p.told[i-1].at, typingPause)
	}
}

func TestTyping_Stop(t *testing.T) {
	var u domain.Typing
	assert.False(t, u.Stop(noon), "nobody knows of any typing")
	u.Hear(true, noon)
	assert.False(t, u.Stop(noon), "nobody was told of it")
	u.Hear(true, noon)
	_, tell := u.Tell(noon)
	require.True(t, tell)
	assert.True(t, u.Stop(noon), "at once, pause or not")
	assert.False(t, u.Stop(noon))
	u.Hear(true, noon)
	_, tell = u.Tell(noon)
	assert.False(t, tell, "the pause begins anew")
	_, tell = u.Tell(noon.Add(typingPause))
	assert.True(t, tell)
}
