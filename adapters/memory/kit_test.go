package memory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/domain"
)

const talk domain.ConversationID = "talk"

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

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
