package memory

import (
	"context"
	"crypto/rand"
	"hash/maphash"
	"sync/atomic"
	"time"

	"parley/domain"
	"parley/ports"
)

// LogConfig bounds a Log. A field that is 0 has its default.
type LogConfig struct {
	// MaxMessages is how many messages of one conversation are kept; default 1000.
	MaxMessages int
	// MaxBytes is roughly how much memory the messages of one conversation may take, in bytes; default 4 MiB.
	// The newest message is kept in any case.
	MaxBytes int
	// MaxAge is how long a message is kept, and for how long a conversation may be silent before it
	// is forgotten with its epoch; default 24 h. Ids are remembered for ports.DuplicateWindow in any case.
	MaxAge time.Duration
	// MaxTotal is roughly how much memory all conversations together may take, in bytes; default 512 MiB. Over it, the
	// conversations that have been silent longest are forgotten, but none with a message within ports.DuplicateWindow.
	// If these alone exceed it, they lose their older messages; if even the ids that must be remembered exceed it, new
	// messages are refused.
	MaxTotal int64
	// InUse reports whether the conversation has members now; nil means that none ever has. A conversation in use
	// loses its messages like the others, but keeps its epoch and seq: connected clients are not told of a new epoch,
	// and would take seq 1, a day after seq 57, for a repeat. InUse is called under a lock and must not call the log.
	InUse func(domain.ConversationID) bool
}

func (c LogConfig) withDefaults() LogConfig {
	if c.MaxMessages <= 0 {
		c.MaxMessages = 1000
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = 4 << 20
	}
	if c.MaxAge <= 0 {
		c.MaxAge = 24 * time.Hour
	}
	if c.MaxTotal <= 0 {
		c.MaxTotal = 512 << 20
	}
	if c.InUse == nil {
		c.InUse = func(domain.ConversationID) bool { return false }
	}
	return c
}

// forgetAfter is how long a conversation may be silent before it is forgotten: at least as long as its ids must be known.
func (c LogConfig) forgetAfter() time.Duration { return max(c.MaxAge, ports.DuplicateWindow) }

// retryWhenFull is after what time a refused sender is told to try again: by then, silent conversations have probably
// been forgotten.
const retryWhenFull = 5 * time.Second

// Log holds the newest messages of each conversation.
//
// What is too old is removed only by Append, in its own conversation and a few that have been silent for long, and by
// Sweep, in all. Head and After answer from what is held. So if Sweep is called every minute, nothing is held for more
// than a minute beyond its age.
type Log struct {
	cfg LogConfig
	// name is part of all epochs of this log, so that they differ from those of another log, or before a restart.
	name string
	seed maphash.Seed
	// size is roughly how many bytes of memory all conversations take.
	size atomic.Int64
	// turn is the shard that gives up a silent conversation next.
	turn   atomic.Uint32
	shards [logShards]logShard
}

var _ ports.MessageLog = (*Log)(nil)

// NewLog returns a log without messages.
func NewLog(cfg LogConfig) *Log {
	l := &Log{cfg: cfg.withDefaults(), name: rand.Text()[:12], seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].init(l)
	}
	return l
}

// Append accepts the draft, or finds that it was accepted before.
func (l *Log) Append(_ context.Context, d domain.Draft, now time.Time) (domain.Message, bool, error) {
	full := !l.makeRoom(now)
	sh, life := l.place(d.Conversation)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.releaseSilent(now)
	h := sh.held(d.Conversation, now)
	if h != nil {
		if m, found := h.repeated(d, now); found {
			return m, true, nil
		}
	}
	if full {
		refusal := domain.Errorf(domain.CodeUnavailable, "the server cannot hold more messages now")
		refusal.RetryAfter = retryWhenFull
		return domain.Message{}, false, refusal
	}
	if h == nil {
		h = sh.open(d.Conversation, life)
	}
	return sh.append(h, d, now), false, nil
}

// Head returns the place of the newest message.
func (l *Log) Head(_ context.Context, c domain.ConversationID) (domain.Position, error) {
	sh, life := l.place(c)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.head(c, life), nil
}

// After returns the messages later than the position. The caller owns the slice.
func (l *Log) After(_ context.Context, c domain.ConversationID, p domain.Position) ([]domain.Message, string, error) {
	sh, life := l.place(c)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	head := sh.head(c, life)
	if p.Epoch != head.Epoch || p.Seq > head.Seq {
		return nil, ports.GapEpoch, nil
	}
	if p.Seq == head.Seq {
		return nil, "", nil
	}
	ms, complete := sh.conversations[c].after(p.Seq)
	if !complete {
		return nil, ports.GapTrimmed, nil
	}
	return ms, "", nil
}

// Page returns a part of what is held. The caller owns the slice.
func (l *Log) Page(_ context.Context, c domain.ConversationID, p domain.Page) (domain.History, error) {
	sh, life := l.place(c)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	page := domain.History{Epoch: sh.head(c, life).Epoch}
	if h, held := sh.conversations[c]; held {
		page.Messages, page.More = h.page(p)
	}
	return page, nil
}

// Sweep removes all that is over its age at now: messages, ids and silent conversations. It holds
// one shard's lock at a time.
func (l *Log) Sweep(now time.Time) {
	for i := range l.shards {
		l.shards[i].sweep(now)
	}
}

// makeRoom makes the log smaller while it is over its total, and reports whether it is within it now. First it releases
// silent conversations; if that is not enough, conversations lose the older half of their messages. So a sender that
// floods the log costs the others some history, but they can still send.
func (l *Log) makeRoom(now time.Time) bool {
	return l.shrink(func(s *logShard) bool { return s.releaseOldest(now) }) || l.shrink((*logShard).thin)
}

// shrink calls by for one shard after the other while the log is over its total, until a whole round
// has freed nothing. It holds one lock at a time and none of the caller's.
func (l *Log) shrink(by func(*logShard) bool) bool {
	for failed := 0; l.size.Load() > l.cfg.MaxTotal; {
		if failed == logShards {
			return false
		}
		if by(&l.shards[l.turn.Add(1)%logShards]) {
			failed = 0
			continue
		}
		failed++
	}
	return true
}

// place returns the conversation's shard, and which of the shard's lives is the conversation's.
func (l *Log) place(c domain.ConversationID) (*logShard, int) {
	h := maphash.String(l.seed, string(c))
	return &l.shards[h%logShards], int(h / logShards % livesPerShard)
}
