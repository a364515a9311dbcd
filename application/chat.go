package application

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"parley/domain"
	"parley/ports"
)

// cleanupTime bounds work that no caller waits for, such as leaving rooms after a disconnect, at the end of
// the grace time, or after a join that failed half-way.
const cleanupTime = 10 * time.Second

// Config holds the limits and times of the use cases.
type Config struct {
	// Access decides who may be in a conversation; the zero value requires a grant, as AccessClaims does.
	Access domain.Access
	// MaxContent bounds a message's content in bytes; 0 means unbounded.
	MaxContent int
	// PresenceGrace is how long a user whose last session dropped stays a member; if it is 0, the others are
	// told at once that the user left.
	PresenceGrace time.Duration
	// ConfirmWindow is how long a delivery waits for users who dropped before they confirmed it. Users who are
	// connected are asked up to maxTries times, whatever the window.
	ConfirmWindow time.Duration
	// RecoveryWindow is how long a session that dropped may come back by Recover. For that time, events that
	// are in no log are kept for it; if it is 0, none are.
	RecoveryWindow time.Duration
}

// Chat is the application. It is safe for concurrent use, as ports.Chat says.
type Chat struct {
	cfg    Config
	auth   ports.Authenticator
	rooms  ports.RoomStore
	log    ports.MessageLog
	out    ports.Broadcaster
	ends   ports.Disconnector
	logger *slog.Logger

	sessions   *registry
	locks      *locks
	timers     *timers
	typists    *typists
	deliveries *deliveries
	streams    *streams
	strays     *strays
	reports    *reports
	unheard    *unheard
	draining   atomic.Bool
}

var (
	_ ports.Chat    = (*Chat)(nil)
	_ ports.Backend = (*Chat)(nil)
)

// NewChat returns a chat without sessions. It logs only failures that it cannot return to a caller, such as those
// after a disconnect and in timers.
func NewChat(
	cfg Config, auth ports.Authenticator, rooms ports.RoomStore, log ports.MessageLog, out ports.Broadcaster,
	ends ports.Disconnector, logger *slog.Logger,
) *Chat {
	timers := newTimers(logger)
	c := &Chat{
		cfg: cfg, auth: auth, rooms: rooms, log: log, out: out, ends: ends, logger: logger,
		sessions: newRegistry(), locks: newLocks(), timers: timers,
		typists: newTypists(timers), streams: newStreams(timers), strays: newStrays(), reports: newReports(timers),
		unheard: newUnheard(cfg.RecoveryWindow),
	}
	c.deliveries = newDeliveries(timers, c.retry)
	return c
}

// Close prepares the chat for the end of the process. From now on it accepts no messages and no other events of
// backends: clients that have moved to another server already would not get them. Joining, leaving and reading still
// work. A user whose session disconnects is no longer announced as having left: a server that shuts down calls Close
// before it closes its sockets, so that nobody is told that everybody left.
//
// Close waits for timers that are running and for the Disconnects that began before it. It aborts the messages that
// are being written, and reports to senders how far their deliveries have come.
func (c *Chat) Close() {
	c.draining.Store(true)
	c.timers.close()
	// A call that was accepted before draining was set may still be at work under a lock.
	c.locks.wait()
	c.abortAll()
	c.reportAll()
}

// retryWhenDraining is when a refused client should try again: by reconnecting it gets to another server.
const retryWhenDraining = time.Second

// accepting returns a CodeDraining error once Close was called.
func (c *Chat) accepting() error {
	if !c.draining.Load() {
		return nil
	}
	refusal := domain.Errorf(domain.CodeDraining, "this server is about to stop")
	refusal.RetryAfter = retryWhenDraining
	return refusal
}

// participant returns the user of a session that may take part in the conversation and is in it. Permission is
// checked first, so the CodeForbidden error does not depend on whether the session is in the conversation.
func (c *Chat) participant(id domain.SessionID, conversation domain.ConversationID) (domain.UserID, error) {
	s, err := c.sessions.get(id)
	if err != nil {
		return "", err
	}
	return s.participate(c.cfg.Access, conversation)
}

// tellLeft tells the conversation's sessions that the user has left. The caller holds the conversation's lock.
func (c *Chat) tellLeft(ctx context.Context, conversation domain.ConversationID, user domain.UserID) error {
	c.typists.forget(conversation, user)
	to, err := c.rooms.Sessions(ctx, conversation.Room())
	if err != nil {
		return err
	}
	if len(to) > 0 {
		c.out.Broadcast(to, "", domain.UserLeft{Conversation: conversation, User: user, At: time.Now()})
	}
	return nil
}

// cleanup returns a context for work that must be done even if ctx is cancelled.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
}
