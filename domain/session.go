package domain

import (
	"slices"
	"time"
)

// MaxConversations bounds how many conversations one session may be in at once.
const MaxConversations = 1000

// Session is one connected client socket: who it speaks for, where it is, and when it was last heard.
type Session struct {
	ID           SessionID
	Identity     Identity
	ConnectedAt  time.Time
	LastActivity time.Time
	// conversations is sorted. A slice instead of a map keeps the usual session, in one or two
	// conversations, a few bytes large.
	conversations []ConversationID
}

// NewSession returns a session in no conversation.
func NewSession(id SessionID, who Identity, now time.Time) *Session {
	return &Session{ID: id, Identity: who, ConnectedAt: now, LastActivity: now}
}

// Touch records that the client was heard at now.
func (s *Session) Touch(now time.Time) { s.LastActivity = now }

// Enter records that the session is in the conversation, and reports whether it was not in it
// before. Entering twice is no error; one conversation too many is CodeLimitExceeded.
func (s *Session) Enter(c ConversationID) (entered bool, err error) {
	at, found := slices.BinarySearch(s.conversations, c)
	if found {
		return false, nil
	}
	if len(s.conversations) >= MaxConversations {
		return false, Errorf(CodeLimitExceeded, "a session may be in at most %d conversations", MaxConversations)
	}
	s.conversations = slices.Insert(s.conversations, at, c)
	return true, nil
}

// Exit records that the session left the conversation, and reports whether it was in it.
func (s *Session) Exit(c ConversationID) bool {
	at, found := slices.BinarySearch(s.conversations, c)
	if found {
		s.conversations = slices.Delete(s.conversations, at, at+1)
	}
	return found
}

// Within returns a CodeNotInConversation error unless the session is in the conversation.
func (s *Session) Within(c ConversationID) error {
	if _, found := slices.BinarySearch(s.conversations, c); !found {
		return Errorf(CodeNotInConversation, "join the conversation first")
	}
	return nil
}

// Conversations returns a copy of the conversations that the session is in, sorted.
func (s *Session) Conversations() []ConversationID { return slices.Clone(s.conversations) }
