package ports

import (
	"context"
	"time"

	"parley/domain"
)

// Backend is what the platform's own servers may ask, once their service token is verified. They need not be in a
// conversation to speak in it. All methods are safe for concurrent use.
//
// Besides the errors named, every method may return CodeUnavailable, and every method that sends something to
// clients CodeDraining.
type Backend interface {
	Publishing
	Inspection
}

// Publishing sends messages and events into conversations.
type Publishing interface {
	// Publish appends a message to the conversation's log and sends it, like Messages.Send, and is idempotent
	// like it.
	// Errors: CodeInvalidPayload, CodePayloadTooLarge, CodeLimitExceeded.
	Publish(ctx context.Context, p Publish) (Receipt, error)

	// OpenStream begins a message that is written bit by bit. Its content is that of the chunks that follow;
	// p.Content is the first chunk, unless it is "". Opening a stream that is open already changes nothing: the
	// answer says where it stands. A stream that gets no chunk for StreamIdle is aborted.
	// Errors: as Publish; CodeConflict if the message was completed recently, or is being written by another user.
	OpenStream(ctx context.Context, p Publish) (Stream, error)

	// AppendStream adds a chunk and sends it. Repeating a chunk changes nothing.
	// Errors: CodeNotFound if no such stream is open, CodeConflict if a chunk before it is missing,
	// CodeInvalidPayload, CodePayloadTooLarge, CodeLimitExceeded.
	AppendStream(ctx context.Context, c domain.ConversationID, m domain.MessageID, chunk domain.Chunk) (Stream, error)

	// CloseStream makes the chunks one message and publishes it, if there are that many; AnyChunks: however many
	// there are. Closing again returns the first receipt.
	// Errors: CodeNotFound if no such stream is open, CodeConflict if it has more or fewer chunks,
	// CodeInvalidPayload if it is empty.
	CloseStream(ctx context.Context, c domain.ConversationID, m domain.MessageID, chunks int) (Receipt, error)

	// AbortStream ends a stream without a message, and tells clients so. Errors: CodeNotFound.
	AbortStream(ctx context.Context, c domain.ConversationID, m domain.MessageID) error

	// Update tells the conversation's sessions what changed about it. changes is a JSON object; it is not stored.
	Update(ctx context.Context, c domain.ConversationID, changes []byte) error

	// Announce sends the conversation's sessions an event that the caller has defined; data is JSON or nil.
	Announce(ctx context.Context, c domain.ConversationID, name domain.EventName, data []byte) error

	// ShowTyping tells the conversation's sessions that a user, who may have no session, is typing or not.
	ShowTyping(ctx context.Context, c domain.ConversationID, user domain.UserID, isTyping bool) error
}

// AnyChunks stands for the number of a stream's chunks where nobody has counted them.
const AnyChunks = -1

// StreamIdle is how long a stream may wait for its next chunk.
const StreamIdle = 60 * time.Second

// Publish asks to publish a message.
type Publish struct {
	Conversation domain.ConversationID
	// User is the sender, who need not be a member.
	User domain.UserID
	// ID makes the call idempotent; "" lets the application choose one.
	ID      domain.MessageID
	Content string
	// Metadata is a JSON object; nil means none.
	Metadata []byte
	// Confirm is as in Send; the user's sessions, if any, are told of the outcome.
	Confirm bool
}

// Stream is the state of a message that is being written.
type Stream struct {
	Message domain.MessageID
	// Next is the index of the next chunk.
	Next int
}

// Inspection lists conversations and sessions, and ends sessions.
type Inspection interface {
	// Conversations returns up to limit conversations that have members and whose ids are greater than after,
	// sorted by id.
	Conversations(ctx context.Context, after domain.ConversationID, limit int) ([]Conversation, error)

	// Members returns who is present, sorted; nobody in a conversation that does not exist.
	Members(ctx context.Context, c domain.ConversationID) ([]domain.UserID, error)

	// Messages returns a part of the conversation's log.
	Messages(ctx context.Context, c domain.ConversationID, p domain.Page) (domain.History, error)

	// OpenSessions returns up to limit open sessions whose ids are greater than after, sorted by id: those of the
	// user, or of all users if user is "".
	OpenSessions(ctx context.Context, user domain.UserID, after domain.SessionID, limit int) ([]Session, error)

	// EndSession ends a session as Disconnector.Disconnect does. Errors: CodeNotFound.
	EndSession(ctx context.Context, id domain.SessionID) error

	// EndSessions ends all sessions of the user and returns how many there were.
	EndSessions(ctx context.Context, user domain.UserID) (int, error)
}

// Conversation is a conversation with somebody in it.
type Conversation struct {
	ID domain.ConversationID
	// Members counts users, Sessions their sessions.
	Members, Sessions int
}

// Session is an open session.
type Session struct {
	ID            domain.SessionID
	User          domain.UserID
	ConnectedAt   time.Time
	LastActivity  time.Time
	ExpiresAt     time.Time
	Conversations []domain.ConversationID
}
