package portstest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

const talk domain.ConversationID = "talk"

// TestMessageLog checks that the logs that open returns do what ports.MessageLog says. They must hold at least 100 small
// messages of a conversation.
func TestMessageLog(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	t.Run("Append", func(t *testing.T) { testAppend(t, open) })
	t.Run("repeated ids", func(t *testing.T) { testRepeats(t, open) })
	t.Run("Head", func(t *testing.T) { testHead(t, open) })
	t.Run("After", func(t *testing.T) { testAfter(t, open) })
	t.Run("Page", func(t *testing.T) { testPage(t, open) })
	t.Run("concurrency", func(t *testing.T) { testLogRaces(t, open) })
	t.Run("errors", func(t *testing.T) { testLogErrors(t, open) })
}

func testAppend(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	t.Run("the message is the draft in its place", func(t *testing.T) {
		l := log{t, open(t)}
		d := domain.Draft{Conversation: talk, User: "ann", ID: "m1", Content: "hello", Metadata: []byte(`{"k":1}`)}
		m, duplicate := l.append(d, start)
		assert.False(t, duplicate)
		assert.Equal(t, d, m.Draft)
		assert.Equal(t, uint64(1), m.Seq)
		assert.NotEmpty(t, m.Epoch)
		assert.True(t, start.Equal(m.At), "accepted at %v", m.At)
	})
	t.Run("seq counts up from 1 in each conversation, in one epoch", func(t *testing.T) {
		l := log{t, open(t)}
		for i := range 30 {
			for _, c := range []domain.ConversationID{talk, "elsewhere"} {
				m, _ := l.append(draft(c, "ann", fmt.Sprint("m", i)), start)
				assert.Equal(t, uint64(i+1), m.Seq)
				assert.Equal(t, l.head(c), domain.Position{Epoch: m.Epoch, Seq: m.Seq})
			}
		}
		first, gap := l.after(talk, domain.Position{Epoch: l.head(talk).Epoch})
		assert.Empty(t, gap)
		for _, m := range first {
			assert.Equal(t, l.head(talk).Epoch, m.Epoch)
		}
	})
}

func testRepeats(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	t.Run("a repeat has the place and time of the first and appends nothing", func(t *testing.T) {
		l := log{t, open(t)}
		first, _ := l.append(draft(talk, "ann", "m1"), start)
		l.append(draft(talk, "ann", "m2"), start)
		again, duplicate := l.append(draft(talk, "ann", "m1"), start.Add(time.Second))
		assert.True(t, duplicate)
		same(t, first, again)
		assert.Equal(t, uint64(2), l.head(talk).Seq)
		ms, _ := l.after(talk, domain.Position{Epoch: first.Epoch})
		assert.Len(t, ms, 2)
	})
	t.Run("a repeat with other content is a repeat and changes nothing", func(t *testing.T) {
		l := log{t, open(t)}
		first, _ := l.append(draft(talk, "ann", "m1"), start)
		changed := draft(talk, "ann", "m1")
		changed.Content = "something else"
		_, duplicate := l.append(changed, start)
		assert.True(t, duplicate)
		ms, _ := l.after(talk, domain.Position{Epoch: first.Epoch})
		require.Len(t, ms, 1)
		assert.Equal(t, first.Content, ms[0].Content)
	})
	t.Run("another user or another conversation may use the same id", func(t *testing.T) {
		l := log{t, open(t)}
		l.append(draft(talk, "ann", "m1"), start)
		_, duplicate := l.append(draft(talk, "bob", "m1"), start)
		assert.False(t, duplicate)
		_, duplicate = l.append(draft("elsewhere", "ann", "m1"), start)
		assert.False(t, duplicate)
		assert.Equal(t, uint64(2), l.head(talk).Seq)
	})
	t.Run("user and id are not mixed up", func(t *testing.T) {
		l := log{t, open(t)}
		l.append(draft(talk, "a", "b:c"), start)
		_, duplicate := l.append(draft(talk, "a:b", "c"), start)
		assert.False(t, duplicate)
	})
	t.Run("ids are known until the end of the window, however many come in between", func(t *testing.T) {
		l := log{t, open(t)}
		first, _ := l.append(draft(talk, "ann", "m0"), start)
		for i := 1; i <= 3000; i++ {
			l.append(draft(talk, "ann", fmt.Sprint("m", i)), start.Add(time.Duration(i)*40*time.Millisecond))
		}
		again, duplicate := l.append(draft(talk, "ann", "m0"), start.Add(ports.DuplicateWindow))
		assert.True(t, duplicate)
		same(t, first, again)
		assert.Equal(t, uint64(3001), l.head(talk).Seq)
	})
}

func testHead(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	t.Run("an empty conversation has seq 0 and the epoch of its first message", func(t *testing.T) {
		l := log{t, open(t)}
		before := l.head(talk)
		assert.Zero(t, before.Seq)
		assert.NotEmpty(t, before.Epoch)
		assert.Equal(t, before, l.head(talk), "asked again")
		m, _ := l.append(draft(talk, "ann", "m1"), start)
		assert.Equal(t, before.Epoch, m.Epoch)
		ms, gap := l.after(talk, before)
		assert.Empty(t, gap)
		assert.Equal(t, []uint64{1}, seqs(ms))
	})
	t.Run("the head is the newest message", func(t *testing.T) {
		l := log{t, open(t)}
		for i := range 5 {
			m, _ := l.append(draft(talk, "ann", fmt.Sprint("m", i)), start)
			assert.Equal(t, domain.Position{Epoch: m.Epoch, Seq: m.Seq}, l.head(talk))
		}
	})
}

func testAfter(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	t.Run("every later message comes, in order", func(t *testing.T) {
		l := log{t, open(t)}
		var sent []domain.Message
		for i := range 100 {
			m, _ := l.append(draft(talk, "ann", fmt.Sprint("m", i)), start.Add(time.Duration(i)*time.Millisecond))
			sent = append(sent, m)
		}
		for _, from := range []int{0, 1, 50, 99} {
			ms, gap := l.after(talk, domain.Position{Epoch: sent[0].Epoch, Seq: uint64(from)})
			assert.Empty(t, gap)
			require.Len(t, ms, 100-from)
			for i, m := range ms {
				assert.Equal(t, sent[from+i].Draft, m.Draft)
				same(t, sent[from+i], m)
			}
		}
	})
	t.Run("after the newest there is nothing, and no gap", func(t *testing.T) {
		l := log{t, open(t)}
		ms, gap := l.after(talk, l.head(talk))
		assert.Empty(t, ms)
		assert.Empty(t, gap)
		l.append(draft(talk, "ann", "m1"), start)
		ms, gap = l.after(talk, l.head(talk))
		assert.Empty(t, ms)
		assert.Empty(t, gap)
	})
	t.Run("another epoch or the future is GapEpoch, without messages", func(t *testing.T) {
		l := log{t, open(t)}
		for _, filled := range []bool{false, true} {
			if filled {
				l.append(draft(talk, "ann", "m1"), start)
			}
			head := l.head(talk)
			for _, p := range []domain.Position{
				{Epoch: head.Epoch, Seq: head.Seq + 1},
				{Epoch: head.Epoch, Seq: 1<<64 - 1},
				{Epoch: head.Epoch + "x", Seq: head.Seq},
				{Epoch: "", Seq: 0},
			} {
				ms, gap := l.after(talk, p)
				assert.Empty(t, ms)
				assert.Equal(t, ports.GapEpoch, gap, "%+v", p)
			}
		}
	})
	t.Run("trimmed messages are a gap, never a part; the newest are held", func(t *testing.T) {
		l := log{t, open(t)}
		const sent = 3000
		for i := range sent {
			l.append(draft(talk, "ann", fmt.Sprint("m", i)), start)
		}
		epoch := l.head(talk).Epoch
		for from := range uint64(sent) {
			ms, gap := l.after(talk, domain.Position{Epoch: epoch, Seq: from})
			if gap == "" {
				require.Equal(t, sequence(from+1, sent), seqs(ms))
				continue
			}
			require.Equal(t, ports.GapTrimmed, gap)
			require.Empty(t, ms)
			require.Less(t, from, uint64(sent-100), "of the newest 100 some are missing")
		}
	})
	t.Run("a result does not change with the log", func(t *testing.T) {
		l := log{t, open(t)}
		for i := range 60 {
			l.append(draft(talk, "ann", fmt.Sprint("m", i)), start)
		}
		begin := domain.Position{Epoch: l.head(talk).Epoch}
		ms, _ := l.after(talk, begin)
		kept := slices.Clone(ms)
		for i := range 3000 {
			l.append(draft(talk, "bob", fmt.Sprint("m", i)), start)
		}
		assert.Equal(t, kept, ms)
	})
}

func testLogErrors(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	t.Run("a done context is no other error, and then nothing is accepted", func(t *testing.T) {
		l := log{t, open(t)}
		done, cancel := context.WithCancel(context.Background())
		cancel()
		_, _, err := l.log.Append(done, draft(talk, "ann", "m1"), start)
		want := uint64(1)
		if err != nil {
			assert.ErrorIs(t, err, context.Canceled)
			want = 0
		}
		assert.Equal(t, want, l.head(talk).Seq)
		_, err = l.log.Head(done, talk)
		assertContextError(t, err)
		_, _, err = l.log.After(done, talk, domain.Position{})
		assertContextError(t, err)
		_, err = l.log.Page(done, talk, domain.Page{Limit: 1, MaxBytes: 1})
		assertContextError(t, err)
	})
}
