package domain

import "time"

// Event is something that happened in a conversation and that its sessions are told. Events are
// values: whoever gets one may keep it. The types in this file are all there are.
type Event interface {
	// Ephemeral reports whether the event may be dropped for a session that reads too slowly:
	// a later one, or asking, tells the same.
	Ephemeral() bool
	event()
}

// MessageSent tells that a message was accepted.
type MessageSent struct{ Message Message }

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

// Ephemeral is false: an accepted message must arrive.
func (MessageSent) Ephemeral() bool { return false }

// Ephemeral is true: the members are told again by the presence event and at every join.
func (UserJoined) Ephemeral() bool { return true }

// Ephemeral is true: the members are told again by the presence event and at every join.
func (UserLeft) Ephemeral() bool { return true }

// Ephemeral is true: typing is of the moment.
func (TypingChanged) Ephemeral() bool { return true }

func (MessageSent) event()   {}
func (UserJoined) event()    {}
func (UserLeft) event()      {}
func (TypingChanged) event() {}
