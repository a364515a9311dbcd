package domain

import "time"

// Event is something that clients are told. Events are values: whoever gets one may keep it, and must not change
// it. The types in this file are all of them.
type Event interface {
	// Ephemeral reports whether the event may be dropped for a session that reads too slowly, because a later
	// event, or an answer to a question, tells the same.
	Ephemeral() bool
	event()
}

// MessageSent tells that a message was accepted.
type MessageSent struct {
	Message Message
	// Delivery asks each session to confirm that it got the message; 0 asks for nothing.
	Delivery DeliveryID
}

// UserJoined tells that a user became a member.
type UserJoined struct {
	Conversation ConversationID
	User         UserID
	At           time.Time
}

// UserLeft tells that a user stopped being a member.
type UserLeft struct {
	Conversation ConversationID
	User         UserID
	At           time.Time
}

// TypingChanged tells that a user started or stopped typing.
type TypingChanged struct {
	Conversation ConversationID
	User         UserID
	IsTyping     bool
	At           time.Time
}

// MessageDelivered tells a sender who has confirmed a message. It is sent once for each message, when the
// delivery is over.
type MessageDelivered struct {
	Conversation ConversationID
	Message      MessageID
	Seq          uint64
	// Expected is the number of users who were asked to confirm the message, Delivered of those who did.
	Expected, Delivered int
	// Pending are the others, sorted; empty if the delivery is complete.
	Pending []UserID
	At      time.Time
}

// ConversationUpdated tells what a backend changed about the conversation.
type ConversationUpdated struct {
	Conversation ConversationID
	// Changes is the backend's JSON object as written, opaque to the domain.
	Changes []byte
	At      time.Time
}

// Announced is an event of a backend's own making.
type Announced struct {
	Conversation ConversationID
	Name         EventName
	// Data is the backend's JSON as written, opaque to the domain; nil means none.
	Data []byte
	At   time.Time
}

// ChunkAppended tells how a message that is being written grows. The complete message follows as
// MessageSent.
type ChunkAppended struct {
	Conversation ConversationID
	Message      MessageID
	Chunk        Chunk
	// Aborted says that nothing follows: the message will not be completed.
	Aborted bool
}

// SessionEnded tells a session why the server ends it.
type SessionEnded struct{ Reason *Error }

// TokenExpiring tells a session that it will be ended unless its client brings a new token.
type TokenExpiring struct{ ExpiresAt time.Time }

// Ephemeral is false: an accepted message must arrive.
func (MessageSent) Ephemeral() bool { return false }

// Ephemeral is true: the members are told again by the presence event and at every join.
func (UserJoined) Ephemeral() bool { return true }

// Ephemeral is true: the members are told again by the presence event and at every join.
func (UserLeft) Ephemeral() bool { return true }

// Ephemeral is true: typing is of the moment.
func (TypingChanged) Ephemeral() bool { return true }

// Ephemeral is false: nothing else tells it.
func (MessageDelivered) Ephemeral() bool { return false }

// Ephemeral is false: nothing else tells it.
func (ConversationUpdated) Ephemeral() bool { return false }

// Ephemeral is false: nobody knows what it means to those who get it.
func (Announced) Ephemeral() bool { return false }

// Ephemeral is true unless the message was aborted: otherwise the complete message tells everything.
func (e ChunkAppended) Ephemeral() bool { return !e.Aborted }

// Ephemeral is false: nothing else tells it.
func (SessionEnded) Ephemeral() bool { return false }

// Ephemeral is false: a client that does not get it will be disconnected.
func (TokenExpiring) Ephemeral() bool { return false }

func (MessageSent) event()         {}
func (UserJoined) event()          {}
func (UserLeft) event()            {}
func (TypingChanged) event()       {}
func (MessageDelivered) event()    {}
func (ConversationUpdated) event() {}
func (Announced) event()           {}
func (ChunkAppended) event()       {}
func (SessionEnded) event()        {}
func (TokenExpiring) event()       {}
