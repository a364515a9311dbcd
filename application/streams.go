package application

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/domain"
	"parley/ports"
)

const (
	// maxStreams and maxStreamBytes bound the messages that are being written at one time, in all conversations.
	maxStreams     = 10_000
	maxStreamBytes = 64 << 20
	// maxStreamsHere bounds those of one conversation: whoever joins it is sent the chunks of all of them.
	maxStreamsHere = 16
	// maxStreamsOver bounds the complete ones that are remembered for their receipts; each takes some 500 bytes.
	maxStreamsOver = 100_000
	// retryWhenFull is how long a backend that is refused for these bounds is asked to wait.
	retryWhenFull = time.Second
)

// streams holds the messages that are being written. A conversation's streams are changed under that conversation's
// lock; mu guards the maps and the sums, which all conversations share.
type streams struct {
	timers *timers
	// count is len(byID). It is read without mu, to see quickly that there are none.
	count atomic.Int64

	mu   sync.Mutex
	byID map[streamKey]*stream
	// in holds the open streams of each conversation.
	in map[domain.ConversationID][]*stream
	// open is how many streams are open. bytes is the memory that all streams take, in approximate bytes.
	open, bytes int
}

type streamKey struct {
	conversation domain.ConversationID
	message      domain.MessageID
}

// stream is a message that is being written. It is remembered for a while after it is complete, for a backend that did
// not get the answer and asks again. It is read and changed only under the conversation's lock.
type stream struct {
	*domain.Stream
	confirm bool
	// receipt is set once the message is accepted; next is the number of chunks when the stream ended.
	receipt *ports.Receipt
	next    int
	// heard is when the last chunk came, or when the message was accepted.
	heard time.Time
	// bytes is its share of streams.bytes.
	bytes int
	timer *timer
}

func newStreams(timers *timers) *streams {
	return &streams{timers: timers, byID: map[streamKey]*stream{}, in: map[domain.ConversationID][]*stream{}}
}

// find returns the stream, open or complete; nil if there is none.
func (s *streams) find(c domain.ConversationID, m domain.MessageID) *stream {
	if s.count.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[streamKey{c, m}]
}

// begin opens a stream, which must not exist.
func (s *streams) begin(d domain.Draft, confirm bool, now time.Time) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= maxStreams || len(s.byID) >= maxStreams+maxStreamsOver || len(s.in[d.Conversation]) >= maxStreamsHere {
		return nil, errTooManyStreams()
	}
	one := &stream{Stream: domain.NewStream(d), confirm: confirm, heard: now}
	if !s.fits(one.Size()) {
		return nil, errTooManyStreams()
	}
	s.byID[streamKey{d.Conversation, d.ID}] = one
	s.in[d.Conversation] = append(s.in[d.Conversation], one)
	s.open++
	s.count.Add(1)
	s.weigh(one)
	return one, nil
}

// append adds a chunk to an open stream; appended is false for a repeat.
func (s *streams) append(one *stream, chunk domain.Chunk, maxContent int) (appended bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if chunk.Index >= one.Next() && !s.fits(len(chunk.Delta)) {
		return false, errTooManyStreams()
	}
	appended, err = one.Append(chunk, maxContent)
	s.weigh(one)
	return appended, err
}

// fits reports whether there is room for that much more. The caller holds mu.
func (s *streams) fits(bytes int) bool { return s.bytes+bytes <= maxStreamBytes }

// weigh updates bytes after the stream has changed. The caller holds mu.
func (s *streams) weigh(one *stream) {
	size := one.Size()
	s.bytes += size - one.bytes
	one.bytes = size
}

// end closes an open stream and drops its text. find still returns it, to say that it is over.
func (s *streams) end(one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.next = one.Next()
	d := one.Draft
	d.Metadata = nil
	one.Stream = domain.NewStream(d)
	s.weigh(one)
	rest := slices.DeleteFunc(s.in[d.Conversation], func(other *stream) bool { return other == one })
	if s.in[d.Conversation] = rest; len(rest) == 0 {
		delete(s.in, d.Conversation)
	}
	s.open--
}

// forget removes a stream that has ended.
func (s *streams) forget(one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timers.stop(one.timer)
	delete(s.byID, streamKey{one.Draft.Conversation, one.Draft.ID})
	s.count.Add(-1)
}

// here returns the open streams of the conversation. The caller owns the slice.
func (s *streams) here(c domain.ConversationID) []*stream {
	if s.count.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.in[c])
}

// written returns the chunks of all messages that are being written in the conversation, as they were sent. The caller
// holds the conversation's lock.
func (s *streams) written(c domain.ConversationID) (all []domain.ChunkAppended) {
	for _, one := range s.here(c) {
		for _, chunk := range one.Chunks() {
			all = append(all, domain.ChunkAppended{Conversation: c, Message: one.Draft.ID, Chunk: chunk})
		}
	}
	return all
}

// conversations returns the conversations with open streams.
func (s *streams) conversations() []domain.ConversationID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.in))
}

func errTooManyStreams() error {
	refusal := domain.Errorf(domain.CodeLimitExceeded, "too many messages are being written")
	refusal.RetryAfter = retryWhenFull
	return refusal
}
