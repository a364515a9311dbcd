package domain

// maxIDLength is the contract's bound for every id a client may choose, in bytes.
const maxIDLength = 128

// UserID says who a session speaks for: the `sub` claim of its token. A user may hold several sessions.
type UserID string

// SessionID names one connected client socket.
type SessionID string

// ConversationID names what people talk in.
type ConversationID string

// MessageID names a message inside its conversation. A client may choose it to make a send idempotent.
type MessageID string

// RoomID names the set of sessions that hears a conversation.
type RoomID string

// Room returns the name of the conversation's room, `conversation:<id>`.
func (c ConversationID) Room() RoomID { return RoomID("conversation:" + c) }

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
