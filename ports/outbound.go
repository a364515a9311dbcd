package ports

import (
	"context"
	"time"

	"parley/domain"
)

// Authenticator verifies tokens. It is safe for concurrent use.
type Authenticator interface {
	// Authenticate returns what a valid token says. Errors: CodeTokenExpired if only its time is
	// over; CodeUnauthorized for every other fault of the token, without saying which;
	// CodeUnavailable if it cannot be verified now. The error never contains the token.
	Authenticate(ctx context.Context, token string) (domain.Identity, error)
}

// RoomStore holds who is in which room, with the meaning of domain.Room. It is safe for concurrent
// use; calls for one room take effect in the order they return. A room exists as long as it has a
// session or a member: the store keeps nothing of an empty one.
// Errors other than context errors are CodeUnavailable.
type RoomStore interface {
	// Join adds a session; arrived says that this made the user a member. Joining again changes nothing.
	Join(ctx context.Context, room domain.RoomID, s domain.SessionID, u domain.UserID) (arrived bool, err error)

	// Leave removes a session for good; departed says that the user thereby stopped being a member. A user
	// with another session that dropped and may come back stays a member until Expire.
	// A session that is not in the room changes nothing.
	Leave(ctx context.Context, room domain.RoomID, s domain.SessionID, u domain.UserID) (departed bool, err error)

	// Drop removes a session that may come back until the time given; dropped says that it was in the
	// room, and that Expire must be called at that time: until then the user stays a member.
	// A session that is not in the room changes nothing.
	Drop(ctx context.Context, room domain.RoomID, s domain.SessionID, u domain.UserID, until time.Time) (dropped bool, err error)

	// Expire ends the wait for a user's dropped sessions if the latest until of their Drops is not later
	// than at; departed says that the user thereby stopped being a member. So the caller of Drop calls it with
	// the same time, and it changes nothing if all sessions came back, or another one dropped later.
	Expire(ctx context.Context, room domain.RoomID, u domain.UserID, at time.Time) (departed bool, err error)

	// Members returns the users, sorted; the caller owns the slice.
	Members(ctx context.Context, room domain.RoomID) ([]domain.UserID, error)

	// Sessions returns a snapshot of the sessions in no particular order. Nobody may write to the
	// slice; later changes of the room do not show in it.
	Sessions(ctx context.Context, room domain.RoomID) ([]domain.SessionID, error)

	// Rooms returns up to limit of the rooms whose names are greater than after, sorted; with "" from the
	// first. It is not a snapshot of one moment: rooms that come or go meanwhile may be in it or not.
	Rooms(ctx context.Context, after domain.RoomID, limit int) ([]domain.RoomID, error)
}

// MessageLog holds at least the newest of each conversation's accepted messages, and gives each its place. It is safe
// for concurrent use. A message is accepted when Append returns without error.
// Errors other than context errors are CodeUnavailable.
type MessageLog interface {
	// Append accepts the draft: it gets the next seq of the conversation's epoch, without gap.
	// If a draft with the same user, conversation and id was accepted in the last DuplicateWindow,
	// nothing is appended, also when the two race: duplicate is true, and m has the Seq, Epoch and At
	// of the first with the draft of the repeat (the first may be trimmed already).
	// The log keeps the draft's Metadata: the caller must not write to it again.
	Append(ctx context.Context, d domain.Draft, now time.Time) (m domain.Message, duplicate bool, err error)

	// Head returns the place of the newest message. A conversation without messages has seq 0 and an
	// epoch that its first message will have too, unless the log forgets a conversation in between;
	// asking does not make the log keep anything. A conversation that was forgotten gets an epoch that it
	// never had before, because its seq starts at 1 again.
	Head(ctx context.Context, c domain.ConversationID) (domain.Position, error)

	// After returns every message later than the position, in order. gap is "" when they are complete;
	// otherwise it says why they cannot be, GapEpoch or GapTrimmed, and there are no messages.
	After(ctx context.Context, c domain.ConversationID, p domain.Position) (ms []domain.Message, gap string, err error)

	// Page returns a part of what the log holds, which may begin later than what was asked for: older
	// messages are trimmed. Of a conversation that the log does not know there are none.
	Page(ctx context.Context, c domain.ConversationID, p domain.Page) (domain.History, error)
}

// DuplicateWindow is the least time for which a MessageLog remembers message ids.
const DuplicateWindow = 120 * time.Second

// Why MessageLog.After could not return what was asked for.
const (
	// GapEpoch: the position is of another life of the log, or lies in its future.
	GapEpoch = "epoch"
	// GapTrimmed: messages after the position are no longer in the log.
	GapTrimmed = "trimmed"
)

// Broadcaster carries events to sessions, wherever they are. It is safe for concurrent use.
type Broadcaster interface {
	// Broadcast enqueues the event for each session in to other than except ("" excepts none). It does
	// not block and does no I/O; two calls one after the other reach every session in that order.
	// Sessions that it does not know are ignored; a session that cannot keep up loses ephemeral
	// events first and is then ended. to is not written to and not kept.
	Broadcast(to []domain.SessionID, except domain.SessionID, e domain.Event)
}

// Disconnector ends sessions, wherever they are. It is safe for concurrent use.
type Disconnector interface {
	// Disconnect ends each session after what was enqueued for it has left, in a way that makes clients
	// stay away until somebody signs in again. It does not block: Sessions.Disconnect follows for each.
	// Sessions that it does not know are ignored.
	Disconnect(sessions ...domain.SessionID)
}
