package ports

import (
	"context"
	"time"

	"parley/domain"
)

// Chat is everything that an inbound adapter may ask. All methods are safe for concurrent use, but the calls for one
// session must be made one after another, in the order of that client's events; only Disconnect may be called at any
// time. A call for a session that is not open returns CodeUnavailable.
type Chat interface {
	Sessions
	Conversations
	Messages
}

// Sessions opens and closes sessions.
type Sessions interface {
	// Authenticate verifies a token without opening anything, for transports that can refuse early.
	// Errors: as Connect.
	Authenticate(ctx context.Context, token string) (domain.Identity, error)

	// Connect verifies the token and opens a session under the id, which no open session may have; it
	// is free again when Disconnect has returned. After an error nothing is left behind. Each success
	// must be followed by one Disconnect.
	// Errors: CodeUnauthorized, CodeTokenExpired, CodeUnavailable.
	Connect(ctx context.Context, id domain.SessionID, token string) (domain.Identity, error)

	// Disconnect closes the session and takes it out of its conversations. Unknown ids are ignored.
	// For a session that Dropped it returns where it was, for Recover; the zero value if nobody can tell.
	Disconnect(ctx context.Context, id domain.SessionID, how Departure) domain.Absence

	// Refresh gives the session a new token of the same user. It is taken out of the conversations that
	// the new token does not let it be in; these are returned.
	// Errors: CodeForbidden if the token is another user's, and as Connect. After an error nothing has changed.
	Refresh(ctx context.Context, id domain.SessionID, token string) (Refreshed, error)

	// Recover opens a session again under the id of one that dropped, puts it back where it was, and
	// calls replay with what it has missed, conversation by conversation, each in order and before any
	// live event of it can be enqueued; replay is as restricted as the admit of Join. Missed are messages,
	// and what is being written now as far as it is. The token is verified and every permission checked anew.
	//
	// recovered is false if the session cannot be put back as it was: another user's token, a
	// permission lost, messages trimmed, too many missed, or a failure after something was replayed,
	// which is then to be thrown away. Nothing is left behind, the absence is of no more use, and
	// Connect is what remains. Success must be followed by one Disconnect. Errors: as Connect; nothing
	// was replayed, and the absence stays valid for another try.
	Recover(
		ctx context.Context, id domain.SessionID, from domain.Absence, token string, replay func([]domain.Event),
	) (recovered bool, err error)
}

// Refreshed is the answer to Refresh.
type Refreshed struct {
	// ExpiresAt is when the session ends unless it is refreshed again.
	ExpiresAt time.Time
	// Left are the conversations that the session had to leave.
	Left []domain.ConversationID
}

// Departure says how a session ended.
type Departure int

const (
	// Dropped: the connection was lost and may come back. The user stays present for the grace time.
	Dropped Departure = iota
	// Left: the client said goodbye. The user's departure is told at once.
	Left
)

// Conversations moves sessions in and out of conversations.
type Conversations interface {
	// Join puts the session into the conversation and tells the others if the user was not present.
	// Joining again is no error and tells no one.
	//
	// admit is called exactly once on success and never on error, before Join returns, while no live
	// event of the conversation can be enqueued for any session: what it enqueues for the joiner
	// stands before every event later than Joined.At. It must not block and must not call the port.
	// Errors: CodeForbidden, CodeLimitExceeded, CodeUnavailable.
	Join(ctx context.Context, id domain.SessionID, join Join, admit func(Joined)) error

	// Leave takes the session out and tells the others if no session of the user is left. After an
	// error the session is still in the conversation. It needs no permission: a session that may not be
	// there any more may still leave.
	// Errors: CodeNotInConversation, CodeUnavailable.
	Leave(ctx context.Context, id domain.SessionID, c domain.ConversationID) error

	// Presence returns the members, sorted; the caller owns the slice.
	// Errors: CodeForbidden, CodeNotInConversation, CodeUnavailable.
	Presence(ctx context.Context, id domain.SessionID, c domain.ConversationID) ([]domain.UserID, error)
}

// Join asks to be in a conversation.
type Join struct {
	Conversation domain.ConversationID
	// After is the last place that the client has seen; nil asks for no replay.
	After *domain.Position
}

// Joined is the answer to Join.
type Joined struct {
	Conversation domain.ConversationID
	// At is the newest place in the log; live events come after it.
	At domain.Position
	// Members are the users present, the joiner included, sorted.
	Members []domain.UserID
	// Recovered says that Messages holds every message between Join.After and At.
	Recovered bool
	// Reason says why a requested recovery was not possible: "epoch" or "trimmed"; else "".
	Reason   string
	Messages []domain.Message
	// Written are the chunks so far of messages that are being written, message by message, each in order.
	Written []domain.ChunkAppended
	// Reports are those that the user had no session for when they were due.
	Reports []domain.MessageDelivered
}

// Messages sends messages and what belongs to them.
type Messages interface {
	// Send appends the message to the conversation's log and enqueues it for every session in the
	// room, in the order of seq. A repeat of an accepted message id returns the first receipt and
	// sends nothing.
	// Errors: CodeForbidden, CodeNotInConversation, CodeInvalidPayload, CodePayloadTooLarge,
	// CodeLimitExceeded if too many deliveries are tracked to track this one, CodeDraining, CodeUnavailable.
	Send(ctx context.Context, id domain.SessionID, send Send) (Receipt, error)

	// Typing tells the other sessions of the room that the user started or stopped typing. A user for whom it is
	// not called again stops typing after a while, and quick changes are merged.
	// Errors: CodeForbidden, CodeNotInConversation, CodeUnavailable.
	Typing(ctx context.Context, id domain.SessionID, c domain.ConversationID, isTyping bool) error

	// Acknowledge notes that the session's user has got all messages of the conversation up to seq.
	// Errors: CodeForbidden, CodeNotInConversation, CodeUnavailable.
	Acknowledge(ctx context.Context, id domain.SessionID, c domain.ConversationID, seq uint64) error

	// Confirm notes that the session's user has got the message that came with the delivery. It changes nothing
	// if the delivery is over or did not ask this user.
	Confirm(ctx context.Context, id domain.SessionID, d domain.DeliveryID)

	// History returns a part of the conversation's log. The caller owns the messages' slice.
	// Errors: CodeForbidden, CodeNotInConversation, CodeUnavailable.
	History(ctx context.Context, id domain.SessionID, c domain.ConversationID, p domain.Page) (domain.History, error)
}

// Send asks to send a message.
type Send struct {
	Conversation domain.ConversationID
	// ID is the client's message id; "" lets the application choose one.
	ID      domain.MessageID
	Content string
	// Metadata is a JSON object as the client wrote it; nil means none.
	Metadata []byte
	// NoEcho leaves the sending session out of the recipients.
	NoEcho bool
	// Confirm asks the members to confirm that they got the message. It is sent again to those who do not, and in
	// the end the sender's sessions are told who has.
	Confirm bool
}

// Receipt is the answer to Send.
type Receipt struct {
	Message domain.MessageID
	At      domain.Position
	// Accepted is when the message was accepted.
	Accepted time.Time
	// Duplicate says that this id had been accepted before; the other fields are those of the first answer.
	Duplicate bool
}
