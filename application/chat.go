package application

import (
	"context"
	"log/slog"
	"time"

	"parley/domain"
	"parley/ports"
)

// cleanupTime bounds the work that nobody waits for: leaving rooms after a disconnect, when the
// grace time is over, or when a join has failed half-way.
const cleanupTime = 10 * time.Second

// Config is what the use cases may be told.
type Config struct {
	// Access decides who may be in a conversation; the zero value lets nobody in without a grant.
	Access domain.Access
	// MaxContent bounds a message's content in bytes; 0 means unbounded.
	MaxContent int
	// PresenceGrace is how long a user whose last session dropped stays a member; with 0 the
	// departure is told at once.
	PresenceGrace time.Duration
}

// Chat is the application. It is safe for concurrent use, as ports.Chat says.
type Chat struct {
	cfg    Config
	auth   ports.Authenticator
	rooms  ports.RoomStore
	log    ports.MessageLog
	out    ports.Broadcaster
	logger *slog.Logger

	sessions   *registry
	locks      *locks
	departures *departures
}

var _ ports.Chat = (*Chat)(nil)

// NewChat returns a chat without sessions. logger hears only of failures that no caller can be
// told: those after a disconnect and in timers.
func NewChat(
	cfg Config, auth ports.Authenticator, rooms ports.RoomStore, log ports.MessageLog, out ports.Broadcaster, logger *slog.Logger,
) *Chat {
	return &Chat{
		cfg: cfg, auth: auth, rooms: rooms, log: log, out: out, logger: logger,
		sessions: newRegistry(), locks: newLocks(), departures: newDepartures(logger),
	}
}

// Close ends the telling of departures: those that wait for the grace time are dropped, those on
// their way are waited for, and from then on Disconnect is silent. A server that shuts down calls
// it before it closes its sockets, so that nobody is told that everybody left. The other verbs go
// on working for the sessions that are still open.
func (c *Chat) Close() { c.departures.close() }

// participant returns the user of a session that may take part in the conversation and is in it.
// Who may not take part is told so whether in it or not.
func (c *Chat) participant(id domain.SessionID, conversation domain.ConversationID) (domain.UserID, error) {
	s, err := c.sessions.get(id)
	if err != nil {
		return "", err
	}
	return s.participate(c.cfg.Access, conversation)
}

// tellLeft tells the conversation's sessions that the user is gone. The caller holds the
// conversation's lock.
func (c *Chat) tellLeft(ctx context.Context, conversation domain.ConversationID, user domain.UserID) error {
	to, err := c.rooms.Sessions(ctx, conversation.Room())
	if err != nil {
		return err
	}
	if len(to) > 0 {
		c.out.Broadcast(to, "", domain.UserLeft{Conversation: conversation, User: user, At: time.Now()})
	}
	return nil
}

// cleanup returns a context for work that must be done also when the caller has gone.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
}
