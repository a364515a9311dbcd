package domain

import (
	"time"
	"unicode/utf8"
)

// MaxMetadata bounds a message's metadata, in bytes of its encoded form.
const MaxMetadata = 16 << 10

// Epoch names one life of a conversation's log. Sequence numbers are comparable only inside one epoch.
type Epoch string

// Position is a place in a conversation's log. Seq 0 is the place before the first message.
type Position struct {
	Epoch Epoch
	Seq   uint64
}

// Draft is a message that a user asks to send; it has no place in the conversation yet.
type Draft struct {
	Conversation ConversationID
	User         UserID
	// ID makes the send idempotent for its user and conversation.
	ID      MessageID
	Content string
	// Metadata is the sender's JSON object as written, opaque to the domain; nil means none.
	Metadata []byte
}

// Check returns a coded error unless the draft may be sent; maxContent is in bytes, 0 means unbounded.
func (d Draft) Check(maxContent int) error {
	if d.Content == "" {
		return Errorf(CodeInvalidPayload, "content is missing")
	}
	if maxContent > 0 && len(d.Content) > maxContent {
		return Errorf(CodePayloadTooLarge, "content is longer than %d bytes", maxContent)
	}
	if !utf8.ValidString(d.Content) {
		return Errorf(CodeInvalidPayload, "content is not valid UTF-8")
	}
	return d.CheckMetadata()
}

// CheckMetadata is Check for a draft whose content has yet to be written.
func (d Draft) CheckMetadata() error {
	if len(d.Metadata) > MaxMetadata {
		return Errorf(CodePayloadTooLarge, "metadata is longer than %d bytes", MaxMetadata)
	}
	return nil
}

// Page asks for a part of a conversation's log, in one direction from a place.
type Page struct {
	// Before asks for the newest messages before that seq, After for the oldest ones after it. nil sets no bound. If
	// both are nil, the page holds the newest messages; if both are set, the oldest after After that are before Before.
	Before, After *uint64
	// Limit is the largest number of messages; it is at least 1.
	Limit int
	// MaxBytes bounds the sum of the messages' content and metadata, in bytes. The first message is returned even
	// if it alone is larger.
	MaxBytes int
}

// History is a page of a conversation's log.
type History struct {
	Epoch Epoch
	// Messages are in order of seq.
	Messages []Message
	// More says that the log holds further messages in the page's direction.
	More bool
}

// Message is an accepted message: it has a place in its conversation's log.
type Message struct {
	Draft
	// Seq is the message's place in the conversation: 1, 2, 3… with no gap inside one epoch.
	Seq   uint64
	Epoch Epoch
	// At is when the message was accepted, by the server's clock.
	At time.Time
}
