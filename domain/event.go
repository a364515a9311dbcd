package domain

import "time"

// Event is something that a client is told. Events are values: whoever gets one may keep it. The types in
// this file are all there are.
type Event interface {
	// Ephemeral reports whether the event may be dropped for a session that reads too slowly:
	// a later one, or asking, tells the same.
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

// MessageDelivered tells a sender how far a message that was to be confirmed has come. It is told once.
type MessageDelivered struct {
	Conversation ConversationID
	Message      MessageID
	Seq          uint64
	// Expected is the number of users that were to get the message, Delivered of those that confirmed it.
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

// Ephemeral is true, but for an end without the message: otherwise that tells all.
func (e ChunkAppended) Ephemeral() bool { return !e.Aborted }

// Ephemeral is false: nothing else tells it.
func (SessionEnded) Ephemeral() bool { return false }

// Ephemeral is false: who does not hear it is cut off.
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
