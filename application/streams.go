package application

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/domain"
	"parley/ports"
)

const (
	// maxStreams and maxStreamBytes bound the messages that are being written at once, of all conversations.
	maxStreams     = 10_000
	maxStreamBytes = 64 << 20
	// maxStreamsHere bounds those of one conversation: whoever joins it is told all of them.
	maxStreamsHere = 16
	// retryWhenFull is what a backend is told for whom there is no room.
	retryWhenFull = time.Second
)

// streams are the messages that are being written. Everything that concerns one conversation is done
// under that conversation's lock; mu guards the maps and the sums.
type streams struct {
	// count is len(byID), for those who only want to know that there are none.
	count atomic.Int64

	mu    sync.Mutex
	byID  map[streamKey]*stream
	in    map[domain.ConversationID][]*stream
	bytes int
}

type streamKey struct {
	conversation domain.ConversationID
	message      domain.MessageID
}

// stream is one message that is being written, or was a moment ago: a backend that did not hear that it
// is closed asks again.
type stream struct {
	*domain.Stream
	confirm bool
	// receipt is set once the stream is closed; next is where it ended.
	receipt *ports.Receipt
	next    int
	// heard is when the last chunk came, or when it was closed.
	heard time.Time
}

func newStreams() *streams {
	return &streams{byID: map[streamKey]*stream{}, in: map[domain.ConversationID][]*stream{}}
}

func (s *streams) find(c domain.ConversationID, m domain.MessageID) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[streamKey{c, m}]
}

// open begins a stream that does not exist.
func (s *streams) open(d domain.Draft, confirm bool, now time.Time) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byID) >= maxStreams || s.bytes >= maxStreamBytes || len(s.in[d.Conversation]) >= maxStreamsHere {
		refusal := domain.Errorf(domain.CodeLimitExceeded, "too many messages are being written")
		refusal.RetryAfter = retryWhenFull
		return nil, refusal
	}
	one := &stream{Stream: domain.NewStream(d), confirm: confirm, heard: now}
	s.byID[streamKey{d.Conversation, d.ID}] = one
	s.in[d.Conversation] = append(s.in[d.Conversation], one)
	s.count.Add(1)
	return one, nil
}

// grew notes that the stream got bytes more.
func (s *streams) grew(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += bytes
}

// end drops what was written; the stream is still found, to say that it is over.
func (s *streams) end(one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= one.Bytes()
	one.next = one.Next()
	one.Stream = domain.NewStream(one.Draft)
	c := one.Draft.Conversation
	s.in[c] = slices.DeleteFunc(s.in[c], func(other *stream) bool { return other == one })
	if len(s.in[c]) == 0 {
		delete(s.in, c)
	}
}

// forget drops a stream that has ended.
func (s *streams) forget(one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, streamKey{one.Draft.Conversation, one.Draft.ID})
	s.count.Add(-1)
}

// written returns the chunks of all messages that are being written in the conversation, as clients were
// told them. The caller holds the conversation's lock.
func (s *streams) written(c domain.ConversationID) (all []domain.ChunkAppended) {
	if s.count.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.in[c] {
		for _, chunk := range one.Chunks() {
			all = append(all, domain.ChunkAppended{Conversation: c, Message: one.Draft.ID, Chunk: chunk})
		}
	}
	return all
}
