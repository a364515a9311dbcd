package application_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/application"
	"parley/domain"
	"parley/ports"
)

// world is a chat on stores in memory. Its tokens are the names of users.
type world struct {
	*application.Chat
	t        *testing.T
	rooms    *memory.Rooms
	log      *memory.Log
	recorder *recorder
	// others are calls that a test has started beside its own.
	others sync.WaitGroup
}

func newWorld(t *testing.T, cfg application.Config) *world {
	t.Helper()
	cfg.Access = domain.AccessAuthenticated
	w := &world{t: t, rooms: memory.NewRooms(), log: memory.NewLog(memory.LogConfig{}), recorder: newRecorder()}
	w.rewire(cfg, wiring{})
	return w
}

// wiring holds the ports of a chat that are to differ from the world's own: nil stands for those.
type wiring struct {
	auth   ports.Authenticator
	rooms  ports.RoomStore
	log    ports.MessageLog
	out    ports.Broadcaster
	logger *slog.Logger
}

// rewire replaces the world's chat by one with the configuration and the ports, before anything has happened.
func (w *world) rewire(cfg application.Config, with wiring) {
	if with.auth == nil {
		with.auth = names{}
	}
	if with.rooms == nil {
		with.rooms = yielding{w.rooms}
	}
	if with.log == nil {
		with.log = w.log
	}
	if with.out == nil {
		with.out = w.recorder
	}
	if with.logger == nil {
		with.logger = slog.New(failing{w.t})
	}
	w.Chat = application.NewChat(cfg, with.auth, with.rooms, with.log, with.out, w.recorder, with.logger)
	w.t.Cleanup(w.Close)
}

// inWorld runs the test in a bubble, where time passes when all goroutines wait, and checks that nothing is left.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.ConfirmWindow = window
		w := newWorld(t, cfg)
		test(t, w)
		w.Close()
		w.ForgetReceipts()
		w.holdsNothing()
	})
}

func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) connect(id domain.SessionID, user domain.UserID) {
	w.t.Helper()
	_, err := w.Connect(ctx, id, string(user))
	require.NoError(w.t, err)
}

func (w *world) join(id domain.SessionID, c domain.ConversationID) (joined ports.Joined) {
	w.t.Helper()
	require.NoError(w.t, w.Join(ctx, id, ports.Join{Conversation: c}, func(j ports.Joined) { joined = j }))
	return joined
}

func (w *world) enter(id domain.SessionID, user domain.UserID, conversations ...domain.ConversationID) {
	w.t.Helper()
	w.connect(id, user)
	for _, c := range conversations {
		w.join(id, c)
	}
}

// pair puts ann's s1 and then bob's s2 into talk.
func (w *world) pair() {
	w.t.Helper()
	w.enter(s1, ann, talk)
	w.enter(s2, bob, talk)
}

func (w *world) members(c domain.ConversationID) []domain.UserID {
	w.t.Helper()
	users, err := w.rooms.Members(ctx, c.Room())
	require.NoError(w.t, err)
	return users
}

// recovers puts the session back, and what it has missed into its queue.
func (w *world) recovers(id domain.SessionID, from domain.Absence) bool {
	w.t.Helper()
	recovered, err := w.Recover(ctx, id, from, string(from.User), func(missed []domain.Event) {
		for _, e := range missed {
			w.recorder.mark(id, e)
		}
	})
	require.NoError(w.t, err)
	return recovered
}

// holdsNothing checks that nothing is under way.
func (w *world) holdsNothing() {
	w.t.Helper()
	assert.Equal(w.t, application.UnderWay{}, w.UnderWay())
	assert.Zero(w.t, w.WaitingTimers())
}

// yielding lets other goroutines run between a change of a room and what the application does with it, which makes
// rare races likely.
type yielding struct{ ports.RoomStore }

func (y yielding) Join(ctx context.Context, r domain.RoomID, s domain.SessionID, u domain.UserID) (bool, error) {
	defer runtime.Gosched()
	return y.RoomStore.Join(ctx, r, s, u)
}

func (y yielding) Leave(ctx context.Context, r domain.RoomID, s domain.SessionID, u domain.UserID) (bool, error) {
	defer runtime.Gosched()
	return y.RoomStore.Leave(ctx, r, s, u)
}

func (y yielding) Drop(
	ctx context.Context, r domain.RoomID, s domain.SessionID, u domain.UserID, until time.Time,
) (bool, error) {
	defer runtime.Gosched()
	return y.RoomStore.Drop(ctx, r, s, u, until)
}

func (y yielding) Sessions(ctx context.Context, r domain.RoomID) ([]domain.SessionID, error) {
	defer runtime.Gosched()
	return y.RoomStore.Sessions(ctx, r)
}

// names is an authenticator whose tokens are the names of users.
type names struct{}

func (names) Authenticate(_ context.Context, token string) (domain.Identity, error) {
	if token == "" {
		return domain.Identity{}, errors.New("no name")
	}
	return domain.Identity{User: domain.UserID(token)}, nil
}

// failing fails the test when something is logged.
type failing struct{ t *testing.T }

func (failing) Enabled(context.Context, slog.Level) bool { return true }
func (f failing) WithAttrs([]slog.Attr) slog.Handler     { return f }
func (f failing) WithGroup(string) slog.Handler          { return f }
func (f failing) Handle(_ context.Context, r slog.Record) error {
	f.t.Errorf("logged: %s", r.Message)
	return nil
}
