package memory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/domain"
	"parley/ports"
)

const talk domain.ConversationID = "talk"

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestLog_bounds(t *testing.T) {
	t.Run("by default the newest 1000 messages are held", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		for i := range 5000 {
			l.say(talk, i, start)
		}
		assert.Equal(t, 1000, l.Stats().Messages)
		assert.Less(t, l.Stats().Capacity, 4000)
		assert.Equal(t, ports.GapTrimmed, l.gap(talk, 3999))
		assert.Empty(t, l.gap(talk, 4000))
	})
	t.Run("the oldest go when the bytes are too many, but the newest stays", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxBytes: 10_000})
		large := strings.Repeat("x", 4000)
		for i := range 10 {
			l.append(domain.Draft{Conversation: talk, User: "ann", ID: number(i), Content: large}, start)
			assert.Equal(t, min(i+1, 2), l.Stats().Messages)
		}
		l.append(domain.Draft{Conversation: talk, User: "ann", ID: "huge", Content: strings.Repeat("x", 50_000)}, start)
		assert.Equal(t, 1, l.Stats().Messages)
		assert.Empty(t, l.gap(talk, 10))
	})
	t.Run("metadata counts too", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxBytes: 10_000})
		for i := range 10 {
			l.append(domain.Draft{Conversation: talk, User: "ann", ID: number(i), Content: "x", Metadata: make([]byte, 4000)}, start)
		}
		assert.Equal(t, 2, l.Stats().Messages)
	})
	t.Run("a message goes with its age, to the instant", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxAge: time.Hour})
		l.say(talk, 1, start)
		l.say(talk, 2, start.Add(time.Minute))
		l.say(talk, 3, start.Add(time.Hour))
		assert.Empty(t, l.gap(talk, 0), "an hour old")
		l.say(talk, 4, start.Add(time.Hour+1))
		assert.Equal(t, ports.GapTrimmed, l.gap(talk, 0), "over an hour old")
		assert.Empty(t, l.gap(talk, 1))
		l.Sweep(start.Add(time.Hour + time.Minute + 1))
		assert.Equal(t, ports.GapTrimmed, l.gap(talk, 1))
		assert.Empty(t, l.gap(talk, 2))
	})
	t.Run("what a burst has taken is given back", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxMessages: 100_000, MaxAge: time.Hour})
		for i := range 50_000 {
			l.say(talk, i, start)
		}
		l.say(talk, 50_000, start.Add(30*time.Minute))
		l.Sweep(start.Add(time.Hour + 1))
		assert.Equal(t, 1, l.Stats().Messages)
		assert.Less(t, l.Stats().Capacity, 64)
	})
	t.Run("what a dropped message held is free at once", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxMessages: 100})
		large := make([]byte, 1<<16)
		held := weak.Make(&large[0])
		l.append(domain.Draft{Conversation: talk, User: "ann", ID: "m0", Content: "x", Metadata: large}, start)
		large = nil
		for i := range 100 {
			runtime.GC()
			require.NotNil(t, held.Value(), "message %d", i)
			l.say(talk, i+1, start)
		}
		runtime.GC()
		assert.Nil(t, held.Value())
		runtime.KeepAlive(l.Log)
	})
	t.Run("all messages of a conversation share one copy of its id", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		for i := range 2 {
			l.say(domain.ConversationID(strings.Clone(string(talk))), i, start)
		}
		ms, _, err := l.After(context.Background(), talk, domain.Position{Epoch: l.head(talk).Epoch})
		require.NoError(t, err)
		require.Len(t, ms, 2)
		assert.Same(t, unsafe.StringData(string(ms[0].Conversation)), unsafe.StringData(string(ms[1].Conversation)))
	})
	t.Run("a clock that steps back does not turn times round", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		first := l.say(talk, 1, start)
		second := l.say(talk, 2, start.Add(-time.Hour))
		assert.False(t, second.At.Before(first.At))
	})
}

func TestLog_ids(t *testing.T) {
	t.Run("an id is forgotten just after the window", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		l.say(talk, 1, start)
		_, duplicate := l.append(hello(talk, 1), start.Add(ports.DuplicateWindow))
		assert.True(t, duplicate)
		_, duplicate = l.append(hello(talk, 1), start.Add(ports.DuplicateWindow+1))
		assert.False(t, duplicate)
		_, duplicate = l.append(hello(talk, 1), start.Add(2*ports.DuplicateWindow+1))
		assert.True(t, duplicate, "the window of the second message with this id")
	})
	t.Run("every id has its whole window, whenever it comes and whatever is swept", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		random := rand.New(rand.NewPCG(1, 2))
		sent := map[int]time.Time{}
		now := start
		for n := range 2000 {
			now = now.Add(time.Duration(random.IntN(2000)) * time.Millisecond)
			if random.IntN(10) == 0 {
				l.Sweep(now)
			}
			old := random.IntN(n + 1)
			if at, was := sent[old]; was {
				_, duplicate := l.append(hello(talk, old), now)
				require.Equal(t, now.Sub(at) <= ports.DuplicateWindow, duplicate, "id %d, %v later", old, now.Sub(at))
				if !duplicate {
					sent[old] = now
				}
			}
			_, duplicate := l.append(hello(talk, n), now)
			require.False(t, duplicate)
			sent[n] = now
		}
	})
	t.Run("ids of two windows are held at most, and none of a silent conversation", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		const perSecond = 10
		now := start
		for i := range 600 * perSecond {
			now = now.Add(time.Second / perSecond)
			l.say(talk, i, now)
			if i%100 == 0 {
				require.LessOrEqual(t, l.Stats().IDs, 2*120*perSecond+2)
			}
		}
		l.Sweep(now.Add(ports.DuplicateWindow + 1))
		l.Sweep(now.Add(2*ports.DuplicateWindow + 2))
		assert.Zero(t, l.Stats().IDs)
		assert.Equal(t, 1000, l.Stats().Messages)
	})
	t.Run("an age below the window does not shorten it", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxAge: time.Second})
		first := l.say(talk, 1, start)
		l.Sweep(start.Add(time.Minute))
		assert.Zero(t, l.Stats().Messages)
		again, duplicate := l.append(hello(talk, 1), start.Add(ports.DuplicateWindow))
		assert.True(t, duplicate)
		assert.Equal(t, first.Seq, again.Seq)
	})
}

// TestLog_lives is about epochs: the positions of one life must never be taken for those of another.
func TestLog_lives(t *testing.T) {
	const age = time.Hour
	later := start.Add(age + 1)
	ways := map[string]func(l log){
		"by its next message": func(log) {},
		"by a sweep":          func(l log) { l.Sweep(later) },
	}
	for way, forget := range ways {
		t.Run("a conversation forgotten "+way+" has a new epoch and starts at 1", func(t *testing.T) {
			l := newLog(t, memory.LogConfig{MaxAge: age})
			empty := l.head(talk)
			for i := range 3 {
				l.say(talk, i, start)
			}
			old := l.head(talk)
			require.Equal(t, domain.Position{Epoch: empty.Epoch, Seq: 3}, old)
			forget(l)
			m := l.say(talk, 3, later)
			assert.Equal(t, uint64(1), m.Seq)
			assert.NotEqual(t, old.Epoch, m.Epoch)
			for seq := range uint64(5) {
				_, gap, err := l.After(context.Background(), talk, domain.Position{Epoch: old.Epoch, Seq: seq})
				require.NoError(t, err)
				assert.Equal(t, ports.GapEpoch, gap, "old position %d", seq)
			}
		})
	}
	t.Run("a forgotten conversation has its new epoch before the first message of the new life", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxAge: age})
		old := l.say(talk, 1, start)
		l.Sweep(later)
		empty := l.head(talk)
		assert.Zero(t, empty.Seq)
		assert.NotEqual(t, old.Epoch, empty.Epoch)
		assert.Equal(t, empty.Epoch, l.say(talk, 2, later).Epoch)
	})
	t.Run("no epoch comes back, over many lives of many conversations", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxAge: age})
		now := start
		had := map[domain.ConversationID]map[domain.Epoch]bool{}
		for round := range 20 {
			for i := range 300 {
				c := domain.ConversationID(fmt.Sprint("c", i))
				if had[c] == nil {
					had[c] = map[domain.Epoch]bool{}
				}
				m := l.say(c, round, now)
				require.Equal(t, uint64(1), m.Seq)
				require.False(t, had[c][m.Epoch], "epoch %s again", m.Epoch)
				had[c][m.Epoch] = true
			}
			now = now.Add(age + 1)
			l.Sweep(now)
		}
	})
	t.Run("forgetting one conversation leaves the epoch of the others", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxAge: age})
		for i := range 2000 {
			l.say(domain.ConversationID(fmt.Sprint("c", i)), 1, start)
		}
		kept := l.say(talk, 1, start.Add(time.Minute))
		l.Sweep(later)
		assert.Equal(t, 1, l.Stats().Conversations)
		assert.Equal(t, kept.Epoch, l.say(talk, 2, later).Epoch)
		assert.Equal(t, uint64(2), l.head(talk).Seq)
	})
	t.Run("two logs have no epoch in common", func(t *testing.T) {
		a, b := newLog(t, memory.LogConfig{}), newLog(t, memory.LogConfig{})
		assert.NotEqual(t, a.head(talk).Epoch, b.head(talk).Epoch)
	})
	t.Run("asking for unknown conversations makes the log hold nothing", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{})
		for i := range 100_000 {
			c := domain.ConversationID(fmt.Sprint("c", i))
			p := l.head(c)
			_, _, _ = l.After(context.Background(), c, p)
		}
		assert.Equal(t, memory.Stats{}, l.Stats())
	})
}

func TestLog_in_use(t *testing.T) {
	const age = time.Hour
	inUse := map[domain.ConversationID]bool{talk: true}
	open := func(t *testing.T, total int64) log {
		return newLog(t, memory.LogConfig{
			MaxAge: age, MaxTotal: total, InUse: func(c domain.ConversationID) bool { return inUse[c] },
		})
	}
	t.Run("a conversation in use keeps its epoch and seq through any silence, and its messages go", func(t *testing.T) {
		for name, pass := range map[string]func(l log, now time.Time){
			"swept":             func(l log, now time.Time) { l.Sweep(now) },
			"other talk passes": func(l log, now time.Time) { l.say("other", int(now.Unix()), now) },
			"nothing passes":    func(log, time.Time) {},
		} {
			t.Run(name, func(t *testing.T) {
				l := open(t, 0)
				now := start
				first := l.say(talk, 0, now)
				for day := range 5 {
					for range 30 {
						now = now.Add(age / 10)
						pass(l, now)
					}
					m := l.say(talk, day+1, now)
					require.Equal(t, first.Epoch, m.Epoch)
					require.Equal(t, uint64(day+2), m.Seq)
					require.Equal(t, ports.GapTrimmed, l.gap(talk, uint64(day)))
				}
			})
		}
	})
	t.Run("once it is out of use it is forgotten", func(t *testing.T) {
		l := open(t, 0)
		l.say(talk, 0, start)
		l.say("other", 0, start)
		l.Sweep(start.Add(age + 1))
		assert.Equal(t, 1, l.Stats().Conversations)
		assert.Zero(t, l.Stats().Messages)
		inUse[talk] = false
		defer func() { inUse[talk] = true }()
		l.Sweep(start.Add(2*age + 2))
		assert.Equal(t, memory.Stats{}, l.Stats())
	})
	t.Run("over the total it loses its messages only", func(t *testing.T) {
		l := open(t, 1<<20)
		for i := range 900 {
			l.say(talk, i, start)
		}
		epoch := l.head(talk).Epoch
		now := start.Add(ports.DuplicateWindow)
		for i := range 3000 {
			now = now.Add(time.Second)
			l.say(domain.ConversationID(fmt.Sprint("c", i)), 1, now)
		}
		assert.Equal(t, domain.Position{Epoch: epoch, Seq: 900}, l.head(talk))
		assert.Equal(t, ports.GapTrimmed, l.gap(talk, 899))
		assert.LessOrEqual(t, l.Stats().Size, int64(1<<20+2000))
	})
	t.Run("a full log of conversations in use refuses, and does not seek for ever", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxTotal: 50_000, InUse: func(domain.ConversationID) bool { return true }})
		now := start
		var refusal error
		for i := 0; refusal == nil && i < 1000; i++ {
			now = now.Add(time.Hour)
			_, _, refusal = l.Append(context.Background(), hello(domain.ConversationID(fmt.Sprint("c", i)), 1), now)
		}
		require.Error(t, refusal)
		assert.Zero(t, l.Stats().Messages)
		assert.Equal(t, l.Stats().Sum, l.Stats().Size)
	})
	t.Run("rooms say what is in use", func(t *testing.T) {
		rooms := memory.NewRooms()
		assert.False(t, rooms.InUse(talk))
		_, err := rooms.Join(context.Background(), talk.Room(), "s1", "ann")
		require.NoError(t, err)
		assert.True(t, rooms.InUse(talk))
		_, err = rooms.Drop(context.Background(), talk.Room(), "s1", "ann", start)
		require.NoError(t, err)
		assert.True(t, rooms.InUse(talk), "who may come back has not gone")
		_, err = rooms.Expire(context.Background(), talk.Room(), "ann", start)
		require.NoError(t, err)
		assert.False(t, rooms.InUse(talk))
	})
}

func TestLog_total(t *testing.T) {
	t.Run("over the total, conversations that are silent longest are forgotten first", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxTotal: 1 << 20})
		now := start
		for i := range 5000 {
			now = now.Add(time.Second)
			l.say(domain.ConversationID(fmt.Sprint("c", i)), 1, now)
			l.say("busy", i, now)
		}
		assert.Less(t, l.Stats().Size, int64(1<<20+2000))
		assert.Greater(t, l.Stats().Size, int64(1<<19), "and not without need")
		assert.Equal(t, uint64(5000), l.head("busy").Seq)
		assert.Equal(t, uint64(1), l.head("c4999").Seq)
		assert.Zero(t, l.head("c0").Seq)
	})
	t.Run("what counts is the last message, not the first", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxTotal: 3 << 19})
		now := start
		for n := range 20 {
			now = now.Add(time.Minute)
			for i := range 300 {
				if n == 0 || i%2 == 0 {
					l.say(domain.ConversationID(fmt.Sprint("c", i)), n, now)
				}
			}
			for i := range 100 {
				l.say(domain.ConversationID(fmt.Sprint("once", n, "-", i)), n, now)
			}
		}
		for i := range 300 {
			if i%2 == 0 {
				assert.Equal(t, uint64(20), l.head(domain.ConversationID(fmt.Sprint("c", i))).Seq)
			}
		}
		assert.LessOrEqual(t, l.Stats().Size, int64(3<<19+2000))
	})
	t.Run("if all have spoken lately, messages are refused, but their repeats are known", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxTotal: 100_000})
		accepted := 0
		var refusal error
		for i := range 1000 {
			_, _, err := l.Append(context.Background(), hello(domain.ConversationID(fmt.Sprint("c", i)), 1), start)
			if err != nil {
				refusal = err
				break
			}
			accepted++
		}
		require.Error(t, refusal)
		assert.Equal(t, domain.CodeUnavailable, domain.AsError(refusal).Code)
		assert.Positive(t, domain.AsError(refusal).RetryAfter)
		assert.Equal(t, accepted, l.Stats().Conversations)
		_, duplicate, err := l.Append(context.Background(), hello("c0", 1), start.Add(ports.DuplicateWindow))
		require.NoError(t, err)
		assert.True(t, duplicate)
		_, duplicate, err = l.Append(context.Background(), hello("c0", 1), start.Add(ports.DuplicateWindow+1))
		require.NoError(t, err, "by then the silent have made room")
		assert.False(t, duplicate)
	})
	t.Run("the count of bytes is true after any history", func(t *testing.T) {
		l := newLog(t, memory.LogConfig{MaxMessages: 20, MaxBytes: 8000, MaxAge: 10 * time.Minute, MaxTotal: 200_000})
		random := rand.New(rand.NewPCG(3, 4))
		now := start
		for i := range 20_000 {
			now = now.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
			d := hello(domain.ConversationID(fmt.Sprint("c", random.IntN(300))), random.IntN(500))
			d.Content = strings.Repeat("x", 1+random.IntN(500))
			_, _, _ = l.Append(context.Background(), d, now)
			if i%100 == 0 {
				l.Sweep(now)
				s := l.Stats()
				require.Equal(t, s.Sum, s.Size)
			}
		}
		l.Sweep(now.Add(time.Hour))
		assert.Equal(t, memory.Stats{}, l.Stats())
	})
}

func TestLog_forgets_without_sweeps(t *testing.T) {
	l := newLog(t, memory.LogConfig{MaxAge: time.Hour})
	now := start
	for i := range 20_000 {
		now = now.Add(time.Second)
		l.say(domain.ConversationID(fmt.Sprint("c", i)), 1, now)
	}
	assert.Less(t, l.Stats().Conversations, 3600+500)
}

func TestLog_races(t *testing.T) {
	l := newLog(t, memory.LogConfig{MaxMessages: 50, MaxAge: time.Minute, MaxTotal: 100_000})
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(5, uint64(worker)))
			now := start
			for i := range 2000 {
				now = now.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
				c := domain.ConversationID(fmt.Sprint("c", random.IntN(50)))
				switch random.IntN(20) {
				case 0:
					l.Sweep(now)
				case 3:
					after := uint64(random.IntN(60))
					page, err := l.Page(context.Background(), c, domain.Page{After: &after, Limit: 10, MaxBytes: 1 << 20})
					assert.NoError(t, err)
					for i := range len(page.Messages) {
						assert.Equal(t, page.Messages[0].Seq+uint64(i), page.Messages[i].Seq)
					}
				case 1, 2:
					p := l.head(c)
					_, _, _ = l.After(context.Background(), c, domain.Position{Epoch: p.Epoch, Seq: p.Seq / 2})
				default:
					_, _, _ = l.Append(context.Background(), hello(c, worker*10_000+i), now)
				}
			}
		})
	}
	all.Wait()
	s := l.Stats()
	assert.Equal(t, s.Sum, s.Size)
	assert.LessOrEqual(t, s.Messages, 50*50)
}

// log is a Log whose calls must not fail.
type log struct {
	*memory.Log
	t *testing.T
}

func newLog(t *testing.T, cfg memory.LogConfig) log { return log{memory.NewLog(cfg), t} }

func (l log) append(d domain.Draft, now time.Time) (domain.Message, bool) {
	l.t.Helper()
	m, duplicate, err := l.Append(context.Background(), d, now)
	require.NoError(l.t, err)
	return m, duplicate
}

// say appends a message that is no repeat.
func (l log) say(c domain.ConversationID, n int, now time.Time) domain.Message {
	l.t.Helper()
	m, duplicate := l.append(hello(c, n), now)
	require.False(l.t, duplicate)
	return m
}

func (l log) head(c domain.ConversationID) domain.Position {
	p, err := l.Head(context.Background(), c)
	assert.NoError(l.t, err)
	return p
}

// gap asks for everything after seq in the present epoch.
func (l log) gap(c domain.ConversationID, seq uint64) string {
	head := l.head(c)
	ms, gap, err := l.After(context.Background(), c, domain.Position{Epoch: head.Epoch, Seq: seq})
	require.NoError(l.t, err)
	if gap == "" {
		require.Len(l.t, ms, int(head.Seq-seq))
	}
	return gap
}

func hello(c domain.ConversationID, n int) domain.Draft {
	return domain.Draft{Conversation: c, User: "ann", ID: number(n), Content: "hello"}
}

func number(n int) domain.MessageID { return domain.MessageID(fmt.Sprint("m", n)) }
