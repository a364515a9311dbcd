package application

import (
	"context"
	"log/slog"
	"sync/atomic"
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
	// ConfirmWindow is how long a delivery waits for users who dropped before they confirmed it. Those who
	// are connected are asked a few times in any case.
	ConfirmWindow time.Duration
	// RecoveryWindow is how long a session that dropped may come back by Recover: what is told meanwhile
	// and is in no log is kept for it. 0: nothing is.
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

	sessions *registry
	locks    *locks
	timers   *timers
	typists  *typists
	// deliveries and streams are what is under way.
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

// NewChat returns a chat without sessions. logger hears only of failures that no caller can be
// told: those after a disconnect and in timers.
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

// Close begins the end. From now on nothing new is accepted: what the log takes now would be heard by
// those who are still connected and by nobody who has gone to another server. Departures are told no
// more, those on their way are waited for: a server that shuts down calls this before it closes its
// sockets, so that nobody is told that everybody left. What only reads or leaves goes on working.
//
// What is under way ends here: messages that are being written are aborted, and senders are told how far
// their deliveries have come.
func (c *Chat) Close() {
	c.draining.Store(true)
	c.timers.close()
	// Whoever was let in before has begun what it wanted when it gives the lock back.
	c.locks.wait()
	c.abortAll()
	c.reportAll()
}

// retryWhenDraining is what those are told who must go to another server, which is what reconnecting does.
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

// cleanup returns a context for work that must be done also when the caller has gone.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
}
