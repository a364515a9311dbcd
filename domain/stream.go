package domain

import (
	"strings"
	"unicode/utf8"
)

// maxChunks bounds the chunks of one message. Whoever joins in the middle is told all of them.
const maxChunks = 16_384

// Chunk is a part of a message that is being written. Index counts from 0 without gap, so that who gets
// one twice can tell.
type Chunk struct {
	Index int
	Delta string
}

// Stream is a message that is being written: it has no place in the conversation yet.
type Stream struct {
	// Draft is the message to be, but for its content.
	Draft Draft
	// text is the content so far, in one piece: a chunk of its own for every few bytes would take several
	// times as much. ends says where in it each chunk ends.
	text strings.Builder
	ends []int
}

// NewStream returns a stream without chunks.
func NewStream(d Draft) *Stream { return &Stream{Draft: d} }

// Next is the index of the next chunk.
func (s *Stream) Next() int { return len(s.ends) }

// Size is what the stream takes in memory, in bytes, about.
func (s *Stream) Size() int { return s.text.Cap() + 8*cap(s.ends) + len(s.Draft.Metadata) }

// Append adds a chunk. appended is false if it is a repeat of one that was there before: nothing
// changes. A chunk that leaves out others, or a repeat with another text, is CodeConflict; what is too
// much, or no text, is the error of Draft.Check. maxContent is in bytes, 0 means unbounded.
func (s *Stream) Append(c Chunk, maxContent int) (appended bool, err error) {
	switch {
	case c.Index < 0:
		return false, Errorf(CodeInvalidPayload, "index must be a whole number, 0 or more")
	case c.Index > s.Next():
		return false, Errorf(CodeConflict, "the next chunk has the index %d", s.Next())
	case c.Index < s.Next():
		if s.delta(c.Index) != c.Delta {
			return false, Errorf(CodeConflict, "chunk %d had another text", c.Index)
		}
		return false, nil
	case c.Delta == "":
		return false, Errorf(CodeInvalidPayload, "delta is missing")
	case !utf8.ValidString(c.Delta):
		return false, Errorf(CodeInvalidPayload, "delta is not valid UTF-8")
	case maxContent > 0 && s.text.Len()+len(c.Delta) > maxContent:
		return false, Errorf(CodePayloadTooLarge, "the message would be longer than %d bytes", maxContent)
	case s.Next() >= maxChunks:
		return false, Errorf(CodeLimitExceeded, "a message has at most %d chunks", maxChunks)
	}
	s.text.WriteString(c.Delta)
	s.ends = append(s.ends, s.text.Len())
	return true, nil
}

// Chunks returns what was written so far. The caller owns the slice.
func (s *Stream) Chunks() []Chunk {
	chunks := make([]Chunk, s.Next())
	for i := range chunks {
		chunks[i] = Chunk{Index: i, Delta: s.delta(i)}
	}
	return chunks
}

// delta is the text of a chunk that was appended.
func (s *Stream) delta(i int) string {
	start := 0
	if i > 0 {
		start = s.ends[i-1]
	}
	return s.text.String()[start:s.ends[i]]
}

// Complete returns the whole message to be.
func (s *Stream) Complete() Draft {
	d := s.Draft
	d.Content = s.text.String()
	return d
}
