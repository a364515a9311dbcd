package domain

import (
	"math"
	"slices"
	"strings"
	"time"
)

// MaxConversations bounds how many conversations one session may be in at once.
const MaxConversations = 1000

// Session is one connected client socket: who it speaks for, where it is, and when it was last heard.
type Session struct {
	ID       SessionID
	Identity Identity
	// connected and heard are Unix times in nanoseconds, a third as large as a time.Time.
	connected, heard int64
	// conversations is sorted. A slice instead of a map keeps the usual session, in one or two
	// conversations, a few bytes large.
	conversations []attendance
}

// attendance is a conversation that the session is in.
type attendance struct {
	conversation ConversationID
	// from is the seq after which the session gets messages; those up to it are not for it.
	from uint64
}

// NewSession returns a session in no conversation.
func NewSession(id SessionID, who Identity, now time.Time) Session {
	return Session{ID: id, Identity: who, connected: now.UnixNano(), heard: now.UnixNano()}
}

// ConnectedAt is when the session began, in UTC.
func (s *Session) ConnectedAt() time.Time { return time.Unix(0, s.connected).UTC() }

// LastActivity is when the client was last heard, in UTC.
func (s *Session) LastActivity() time.Time { return time.Unix(0, s.heard).UTC() }

// Touch records that the client was heard at now.
func (s *Session) Touch(now time.Time) { s.heard = now.UnixNano() }

// Enter records that the session is in the conversation, and reports whether it was not in it
// before. Entering twice is no error; one conversation too many is CodeLimitExceeded.
func (s *Session) Enter(c ConversationID) (entered bool, err error) {
	at, found := s.find(c)
	if found {
		return false, nil
	}
	if len(s.conversations) >= MaxConversations {
		return false, Errorf(CodeLimitExceeded, "a session may be in at most %d conversations", MaxConversations)
	}
	s.conversations = slices.Insert(s.conversations, at, attendance{conversation: c, from: math.MaxUint64})
	return true, nil
}

// Follow records that the session gets the conversation's messages after seq; entering alone gives it none. If the
// session follows already, the lower seq counts.
func (s *Session) Follow(c ConversationID, seq uint64) {
	if at, found := s.find(c); found {
		s.conversations[at].from = min(s.conversations[at].from, seq)
	}
}

// Gets reports whether the session gets the conversation's message with the seq.
func (s *Session) Gets(c ConversationID, seq uint64) bool {
	at, found := s.find(c)
	return found && seq > s.conversations[at].from
}

// Exit records that the session left the conversation, and reports whether it was in it.
func (s *Session) Exit(c ConversationID) bool {
	at, found := s.find(c)
	if found {
		s.conversations = slices.Delete(s.conversations, at, at+1)
	}
	return found
}

// Within returns a CodeNotInConversation error unless the session is in the conversation.
func (s *Session) Within(c ConversationID) error {
	if _, found := s.find(c); !found {
		return Errorf(CodeNotInConversation, "join the conversation first")
	}
	return nil
}

// Conversations returns the conversations that the session is in, sorted; nil if it is in none. The caller
// owns the slice.
func (s *Session) Conversations() []ConversationID {
	var all []ConversationID
	for _, a := range s.conversations {
		all = append(all, a.conversation)
	}
	return all
}

func (s *Session) find(c ConversationID) (at int, found bool) {
	return slices.BinarySearchFunc(s.conversations, c, func(a attendance, c ConversationID) int {
		return strings.Compare(string(a.conversation), string(c))
	})
}
