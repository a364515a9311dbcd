package application_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/application"
	"parley/domain"
	"parley/ports"
)

var recoverSeed = flag.Uint64("recover.seed", 0, "run the recovery property with this seed only")

// TestChat_Recover_property plays random histories of joins, leaves, messages, drops and recoveries,
// and checks after each step that every session has heard every message of its conversations, once and
// in order, whether live or replayed.
func TestChat_Recover_property(t *testing.T) {
	for _, seed := range seeds(*recoverSeed) {
		t.Run(fmt.Sprintf("-recover.seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playRecovery(t, seed) })
		})
	}
}

// held is how many messages of each conversation the log holds in these histories.
const held = 6

func playRecovery(t *testing.T, seed uint64) {
	p := &recoveryPlay{
		world: newWorld(t, config()), t: t, random: rand.New(rand.NewPCG(seed, 0)),
		open: map[domain.SessionID]*listener{}, away: map[domain.SessionID]*listener{},
		heads: map[domain.ConversationID]uint64{}, notes: map[domain.ConversationID]int{},
	}
	p.log = memory.NewLog(memory.LogConfig{MaxMessages: held})
	p.rewire(application.Config{
		Access: domain.AccessAuthenticated, MaxContent: maxContent, PresenceGrace: grace, RecoveryWindow: time.Hour,
	}, wiring{})
	for step := range 1000 {
		what := p.step()
		for id, l := range p.open {
			at := fmt.Sprintf("seed %d, step %d: %s; %s", seed, step, what, id)
			l.hear(t, at, p.recorder.take(id))
			for c, seq := range l.heard {
				require.Equal(t, p.heads[c], seq, "%s misses the end of %s", at, c)
				require.Equal(t, p.notes[c], l.noted[c], "%s misses the last event of %s", at, c)
			}
		}
		for id := range p.away {
			require.Empty(t, p.recorder.take(id), "told while away")
		}
	}
	require.Positive(t, p.recovered, "nobody came back")
	require.Positive(t, p.trimmed, "nothing was ever trimmed")
	require.Positive(t, p.replayed, "nothing was ever missed")
	require.Positive(t, p.renoted, "no event was ever missed")
}

// listener is what one session has been sent: for each conversation that it is in, the seq of the last message and the
// number of the last other event.
type listener struct {
	user  domain.UserID
	heard map[domain.ConversationID]uint64
	noted map[domain.ConversationID]int
	from  domain.Absence
}

// hear takes events, which must continue what was heard before.
func (l *listener) hear(t *testing.T, at string, es []domain.Event) {
	for _, e := range es {
		switch e := e.(type) {
		case domain.MessageSent:
			m := e.Message
			last, in := l.heard[m.Conversation]
			require.True(t, in, "%s was told of %s, where it is not", at, m.Conversation)
			require.Equal(t, last+1, m.Seq, "%s: a gap or a repeat in %s", at, m.Conversation)
			l.heard[m.Conversation] = m.Seq
		case domain.Announced:
			c := e.Conversation
			want := fmt.Sprintf("%d after %d", l.noted[c]+1, l.heard[c])
			require.Equal(t, want, string(e.Data), "%s: an event is missing, doubled or not in its place in %s", at, c)
			l.noted[c]++
		}
	}
}

type recoveryPlay struct {
	*world
	t      *testing.T
	random *rand.Rand
	opened int
	open   map[domain.SessionID]*listener
	away   map[domain.SessionID]*listener
	heads  map[domain.ConversationID]uint64
	// notes counts the events that are no messages.
	notes map[domain.ConversationID]int
	// What the histories must have contained.
	recovered, trimmed, replayed, renoted int
}

// step does one thing that may happen.
func (p *recoveryPlay) step() string {
	c := playRooms[p.random.IntN(len(playRooms))]
	choice := p.random.IntN(100)
	if len(p.open) == 0 || choice < 6 && len(p.open)+len(p.away) < 8 {
		p.opened++
		id, user := domain.SessionID(fmt.Sprint("s", p.opened)), playUsers[p.random.IntN(len(playUsers))]
		p.connect(id, user)
		p.open[id] = &listener{user: user, heard: map[domain.ConversationID]uint64{}, noted: map[domain.ConversationID]int{}}
		return fmt.Sprintf("%s of %s connects", id, user)
	}
	id := p.pick(p.open)
	l := p.open[id]
	_, in := l.heard[c]
	switch {
	case choice < 25:
		joined := p.join(id, c)
		if !in {
			l.heard[c], l.noted[c] = joined.At.Seq, p.notes[c]
		}
		return fmt.Sprintf("%s joins %s", id, c)
	case choice < 30 && in:
		require.NoError(p.t, p.Leave(ctx, id, c))
		delete(l.heard, c)
		return fmt.Sprintf("%s leaves %s", id, c)
	case choice < 35:
		p.notes[c]++
		data := fmt.Appendf(nil, "%d after %d", p.notes[c], p.heads[c])
		require.NoError(p.t, p.Announce(ctx, c, "tick", data))
		return "a backend tells " + string(c)
	case choice < 65 && in:
		_, err := p.Send(ctx, id, ports.Send{Conversation: c, Content: "hello"})
		require.NoError(p.t, err)
		p.heads[c]++
		return fmt.Sprintf("%s sends to %s", id, c)
	case choice < 80:
		l.from = p.Disconnect(ctx, id, ports.Dropped)
		delete(p.open, id)
		p.away[id] = l
		return fmt.Sprintf("%s drops", id)
	case choice < 83:
		time.Sleep(time.Duration(p.random.IntN(8)) * time.Second)
		synctest.Wait()
		return "time passes"
	}
	return p.comeBack()
}

// comeBack lets a session that is away recover. It must succeed if and only if the log holds all that
// the session has missed.
func (p *recoveryPlay) comeBack() string {
	if len(p.away) == 0 {
		return "nobody is away"
	}
	id := p.pick(p.away)
	l := p.away[id]
	delete(p.away, id)
	possible, missed, noted := true, 0, 0
	for c, seq := range l.heard {
		possible = possible && p.heads[c]-seq <= held
		missed += int(p.heads[c] - seq)
		noted += p.notes[c] - l.noted[c]
	}
	require.Equal(p.t, possible, p.recovers(id, l.from), "recovered")
	if !possible {
		p.trimmed++
		require.Empty(p.t, p.recorder.take(id), "replayed by a recovery that failed")
		return fmt.Sprintf("%s is not recovered", id)
	}
	p.recovered++
	p.replayed += missed
	p.renoted += noted
	p.open[id] = l
	return fmt.Sprintf("%s recovers", id)
}

func (p *recoveryPlay) pick(from map[domain.SessionID]*listener) domain.SessionID {
	ids := slices.Sorted(maps.Keys(from))
	return ids[p.random.IntN(len(ids))]
}

// TestChat_Recover_order lets sessions drop and recover while others talk in the same conversations:
// each must get everything once and in order, and so the same as all others.
func TestChat_Recover_order(t *testing.T) {
	const talkers, listeners, drops, saidPerDrop = 3, 4, 150, 10
	const maxSaid = listeners * drops * saidPerDrop
	w := newWorld(t, config())
	w.log = memory.NewLog(memory.LogConfig{MaxMessages: maxSaid, MaxBytes: 1 << 30})
	w.rewire(application.Config{
		Access: domain.AccessAuthenticated, MaxContent: maxContent, PresenceGrace: grace, RecoveryWindow: time.Hour,
	}, wiring{})
	rooms := []domain.ConversationID{talk, other}
	stop := make(chan struct{})
	// say allows the talkers a number of messages: however unfairly goroutines run, nobody misses more than the log holds.
	say := make(chan struct{}, maxSaid)
	var talking, listening sync.WaitGroup
	for i := range talkers {
		id := domain.SessionID(fmt.Sprint("talker", i))
		w.enter(id, domain.UserID(id), rooms...)
		talking.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-say:
				}
				_, err := w.Send(ctx, id, ports.Send{Conversation: rooms[n%2], Content: "hello"})
				assert.NoError(t, err)
				w.recorder.take(id)
			}
		})
	}
	heard := make([]*listener, listeners)
	for i := range listeners {
		id := session(i)
		heard[i] = &listener{user: "eve", heard: map[domain.ConversationID]uint64{}, noted: map[domain.ConversationID]int{}}
		w.connect(id, "eve")
		for _, c := range rooms {
			heard[i].heard[c] = w.join(id, c).At.Seq
		}
		listening.Go(func() {
			random := rand.New(rand.NewPCG(3, uint64(i)))
			for range drops {
				from := w.Disconnect(ctx, id, ports.Dropped)
				for range saidPerDrop {
					say <- struct{}{}
				}
				for range random.IntN(3) {
					w.members(talk) // some work, to let others run
				}
				if !assert.True(t, w.recovers(id, from)) {
					return
				}
				heard[i].hear(t, string(id), w.recorder.take(id))
			}
		})
	}
	listening.Wait()
	close(stop)
	talking.Wait()
	for i := range listeners {
		heard[i].hear(t, string(session(i)), w.recorder.take(session(i)))
		for _, c := range rooms {
			head, err := w.log.Head(ctx, c)
			require.NoError(t, err)
			assert.Equal(t, head.Seq, heard[i].heard[c])
		}
	}
}
