package portstest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

// plenty is a bound in bytes that no page of these tests reaches.
const plenty = 1 << 20

func testPage(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	t.Run("every page of 12 messages is what its bounds say", func(t *testing.T) { testPageBounds(t, open) })
	t.Run("pages put together are the whole log, in both directions", func(t *testing.T) {
		l := filled(t, open, 100)
		for _, limit := range []int{1, 7, 50, 99, 100, 101} {
			assert.Equal(t, sequence(1, 100), l.forwards(limit), "limit %d", limit)
			assert.Equal(t, sequence(1, 100), l.backwards(limit), "limit %d", limit)
		}
	})
	t.Run("messages are those that were accepted, in the present epoch", func(t *testing.T) {
		l := log{t, open(t)}
		var sent []domain.Message
		for i := range 10 {
			d := draft(talk, "ann", fmt.Sprint("m", i))
			d.Metadata = []byte(`{"k":1}`)
			m, _ := l.append(d, start)
			sent = append(sent, m)
		}
		page := l.page(talk, domain.Page{Limit: 10, MaxBytes: plenty})
		assert.Equal(t, sent[0].Epoch, page.Epoch)
		require.Len(t, page.Messages, 10)
		for i, m := range page.Messages {
			assert.Equal(t, sent[i].Draft, m.Draft)
			same(t, sent[i], m)
		}
	})
	t.Run("the bytes of a page are bounded, except for its first message", func(t *testing.T) { testPageBytes(t, open) })
	t.Run("an unknown conversation has no messages but an epoch, and asking keeps nothing", func(t *testing.T) {
		l := filled(t, open, 5)
		for _, p := range []domain.Page{{}, {Before: seq(3)}, {After: seq(0)}, {After: seq(3), Before: seq(9)}} {
			p.Limit, p.MaxBytes = 10, plenty
			page := l.page("unknown", p)
			assert.Empty(t, page.Messages)
			assert.False(t, page.More)
			assert.Equal(t, l.head("unknown").Epoch, page.Epoch)
		}
		assert.Zero(t, l.head("unknown").Seq)
	})
	t.Run("messages of other conversations are not in a page", func(t *testing.T) {
		l := filled(t, open, 5)
		for i := range 20 {
			l.append(draft("elsewhere", "ann", fmt.Sprint("m", i)), start)
		}
		page := l.page(talk, domain.Page{Limit: 50, MaxBytes: plenty})
		assert.Equal(t, sequence(1, 5), seqs(page.Messages))
		for _, m := range page.Messages {
			assert.Equal(t, talk, m.Conversation)
		}
	})
	t.Run("a page of a trimmed log holds what is left, without holes", func(t *testing.T) { testPageTrimmed(t, open) })
	t.Run("a page is the caller's and does not change with the log", func(t *testing.T) {
		l := filled(t, open, 60)
		ask := domain.Page{Limit: 50, MaxBytes: plenty}
		page := l.page(talk, ask)
		kept := slices.Clone(page.Messages)
		again := l.page(talk, ask)
		again.Messages[0].Content = "spoilt"
		_ = append(again.Messages, domain.Message{})
		assert.Equal(t, kept, l.page(talk, ask).Messages)
		for i := range 3000 {
			l.append(draft(talk, "bob", fmt.Sprint("m", i)), start)
		}
		assert.Equal(t, kept, page.Messages)
	})
}

// testPageBounds compares pages with what a loop over all messages would choose.
func testPageBounds(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	const sent = 12
	l := filled(t, open, sent)
	bounds := []*uint64{nil, seq(0), seq(1), seq(2), seq(6), seq(11), seq(12), seq(13), seq(100), seq(1<<64 - 1)}
	for _, before := range bounds {
		for _, after := range bounds {
			var within []uint64
			for n := uint64(1); n <= sent; n++ {
				if (before == nil || n < *before) && (after == nil || n > *after) {
					within = append(within, n)
				}
			}
			for _, limit := range []int{1, 2, 5, 12, 1000} {
				n := min(limit, len(within))
				want := within[:n]
				if after == nil {
					want = within[len(within)-n:]
				}
				page := l.page(talk, domain.Page{Before: before, After: after, Limit: limit, MaxBytes: plenty})
				at := fmt.Sprintf("before %s, after %s, limit %d", number(before), number(after), limit)
				require.Equal(t, len(want), len(page.Messages), at)
				if len(want) > 0 {
					require.Equal(t, want, seqs(page.Messages), at)
				}
				require.Equal(t, len(want) < len(within), page.More, at)
				require.Equal(t, l.head(talk).Epoch, page.Epoch)
			}
		}
	}
}

func testPageBytes(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	l := log{t, open(t)}
	for i := range 10 {
		d := draft(talk, "ann", fmt.Sprint("m", i))
		d.Content = strings.Repeat("x", 60)
		d.Metadata = []byte(`{"k":"` + strings.Repeat("y", 32) + `"}`)
		require.Len(t, d.Metadata, 40)
		l.append(d, start)
	}
	for bytes, want := range map[int]uint64{0: 1, 1: 1, 100: 1, 199: 1, 200: 2, 201: 2, 299: 2, 300: 3, 1000: 10, 2000: 10} {
		page := l.page(talk, domain.Page{Limit: 100, MaxBytes: bytes})
		assert.Equal(t, sequence(11-want, 10), seqs(page.Messages), "the newest in %d bytes", bytes)
		assert.Equal(t, want < 10, page.More)
		page = l.page(talk, domain.Page{After: seq(0), Limit: 100, MaxBytes: bytes})
		assert.Equal(t, sequence(1, want), seqs(page.Messages), "the oldest in %d bytes", bytes)
		assert.Equal(t, want < 10, page.More)
	}
}

func testPageTrimmed(t *testing.T, open func(t *testing.T) ports.MessageLog) {
	const sent = 5000
	l := filled(t, open, sent)
	whole := l.backwards(100)
	require.GreaterOrEqual(t, len(whole), 100)
	oldest := whole[0]
	require.Equal(t, sequence(oldest, sent), whole)
	assert.Equal(t, whole, l.forwards(100))
	if oldest == 1 {
		return // this log holds them all
	}
	page := l.page(talk, domain.Page{After: seq(0), Limit: 3, MaxBytes: plenty})
	assert.Equal(t, sequence(oldest, oldest+2), seqs(page.Messages), "it begins later than what was asked for")
	assert.True(t, page.More)
	for _, before := range []uint64{0, 1, oldest - 1, oldest} {
		page := l.page(talk, domain.Page{Before: seq(before), Limit: 3, MaxBytes: plenty})
		assert.Empty(t, page.Messages)
		assert.False(t, page.More)
		page = l.page(talk, domain.Page{After: seq(0), Before: seq(before), Limit: 3, MaxBytes: plenty})
		assert.Empty(t, page.Messages)
		assert.False(t, page.More)
	}
	page = l.page(talk, domain.Page{Before: seq(oldest + 2), Limit: 3, MaxBytes: plenty})
	assert.Equal(t, sequence(oldest, oldest+1), seqs(page.Messages))
	assert.False(t, page.More, "what is trimmed is not more")
}

// forwards returns the places of all messages, read page by page from the oldest.
func (l log) forwards(limit int) (all []uint64) {
	after := uint64(0)
	for more := true; more; {
		page := l.page(talk, domain.Page{After: &after, Limit: limit, MaxBytes: plenty})
		require.NotEmpty(l.t, page.Messages)
		all = append(all, seqs(page.Messages)...)
		after, more = all[len(all)-1], page.More
	}
	return all
}

// backwards does the same from the newest.
func (l log) backwards(limit int) (all []uint64) {
	var before *uint64
	for more := true; more; {
		page := l.page(talk, domain.Page{Before: before, Limit: limit, MaxBytes: plenty})
		require.NotEmpty(l.t, page.Messages)
		all = append(seqs(page.Messages), all...)
		before, more = seq(all[0]), page.More
	}
	return all
}

func seq(n uint64) *uint64 { return &n }

func number(n *uint64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}
