package portstest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

// log calls a MessageLog that must not fail.
type log struct {
	t   *testing.T
	log ports.MessageLog
}

func (l log) append(d domain.Draft, now time.Time) (domain.Message, bool) {
	m, duplicate, err := l.log.Append(context.Background(), d, now)
	assert.NoError(l.t, err)
	return m, duplicate
}

func (l log) head(c domain.ConversationID) domain.Position {
	p, err := l.log.Head(context.Background(), c)
	assert.NoError(l.t, err)
	return p
}

func (l log) after(c domain.ConversationID, p domain.Position) ([]domain.Message, string) {
	ms, gap, err := l.log.After(context.Background(), c, p)
	assert.NoError(l.t, err)
	return ms, gap
}

func (l log) page(c domain.ConversationID, p domain.Page) domain.History {
	l.t.Helper()
	page, err := l.log.Page(context.Background(), c, p)
	require.NoError(l.t, err)
	return page
}

func draft(c domain.ConversationID, u domain.UserID, id string) domain.Draft {
	return domain.Draft{Conversation: c, User: u, ID: domain.MessageID(id), Content: "content of " + id}
}

// same checks that two messages have the same id, place and time.
func same(t *testing.T, want, got domain.Message) {
	t.Helper()
	assert.Equal(t, want.ID, got.ID)
	assert.Equal(t, want.Seq, got.Seq)
	assert.Equal(t, want.Epoch, got.Epoch)
	assert.True(t, want.At.Equal(got.At), "%v and %v", want.At, got.At)
}

func seqs(ms []domain.Message) []uint64 {
	var all []uint64
	for _, m := range ms {
		all = append(all, m.Seq)
	}
	return all
}

func sequence(from, to uint64) []uint64 {
	var all []uint64
	for n := from; n <= to; n++ {
		all = append(all, n)
	}
	return all
}

// filled returns a log with that many messages in talk.
func filled(t *testing.T, open func(t *testing.T) ports.MessageLog, messages int) log {
	l := log{t, open(t)}
	for i := range messages {
		l.append(draft(talk, "ann", fmt.Sprint("m", i)), start)
	}
	return l
}
