package domain

import (
	"slices"
	"strings"
)

// maxIDLength is the longest id that a client may choose, in bytes, by the contract.
const maxIDLength = 128

// UserID says who a session speaks for: the `sub` claim of its token. A user may hold several sessions.
type UserID string

// SessionID names one connected client socket.
type SessionID string

// ConversationID names a conversation.
type ConversationID string

// MessageID names a message inside its conversation. A client may choose it to make a send idempotent.
type MessageID string

// EventName names an event that a backend makes up for a conversation's clients.
type EventName string

// DeliveryID names a message whose delivery is tracked, for the sessions that are asked to confirm it. It
// is never 0.
type DeliveryID uint64

// RoomID names the set of sessions that hears a conversation.
type RoomID string

// Room returns the name of the conversation's room, `conversation:<id>`.
func (c ConversationID) Room() RoomID { return roomPrefix + RoomID(c) }

const roomPrefix = "conversation:"

// Conversation returns the conversation that the room belongs to; ok is false if it belongs to none.
func (r RoomID) Conversation() (c ConversationID, ok bool) {
	id, ok := strings.CutPrefix(string(r), roomPrefix)
	return ConversationID(id), ok
}

// ParseUserID checks that s is a well-formed user id. The error has CodeInvalidPayload.
func ParseUserID(s string) (UserID, error) {
	return UserID(s), checkID("userId", s)
}

// ParseConversationID checks that s is a well-formed conversation id. The error has CodeInvalidPayload.
func ParseConversationID(s string) (ConversationID, error) {
	return ConversationID(s), checkID("conversationId", s)
}

// ParseMessageID checks that s is a well-formed message id. The error has CodeInvalidPayload.
func ParseMessageID(s string) (MessageID, error) {
	return MessageID(s), checkID("messageId", s)
}

// reservedEvents are the names that have a meaning already: those of the wire contract, and those that
// socket.io-client reserves.
var reservedEvents = []string{
	"connect", "connect_error", "conversation_updated", "disconnect", "disconnecting", "error", "history",
	"join_conversation", "leave_conversation", "message", "message_ack", "message_chunk", "message_delivered",
	"newListener", "presence", "refresh_token", "removeListener", "token_expiring", "typing", "user_joined", "user_left",
}

// ParseEventName checks that s is well-formed and not reserved. The error has CodeInvalidPayload.
func ParseEventName(s string) (EventName, error) {
	if err := checkID("event", s); err != nil {
		return "", err
	}
	if slices.Contains(reservedEvents, s) {
		return "", Errorf(CodeInvalidPayload, "event %q has a meaning of its own: choose another name", s)
	}
	return EventName(s), nil
}

func checkID(field, s string) error {
	if s == "" {
		return Errorf(CodeInvalidPayload, "%s is missing", field)
	}
	if len(s) > maxIDLength {
		return Errorf(CodeInvalidPayload, "%s is longer than %d characters", field, maxIDLength)
	}
	for i := range len(s) {
		if !isIDByte(s[i]) {
			return Errorf(CodeInvalidPayload, "%s may hold only letters, digits and ._:-@", field)
		}
	}
	return nil
}

func isIDByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	case c == '.', c == '_', c == ':', c == '-', c == '@':
		return true
	}
	return false
}
