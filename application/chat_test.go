package application_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/mock/gomock"

	"parley/adapters/memory"
	"parley/application"
	"parley/domain"
	"parley/mocks"
	"parley/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	talk  domain.ConversationID = "talk"
	other domain.ConversationID = "other"
	// grace is the presence grace of all tests but those that say otherwise.
	grace = 10 * time.Second
	// maxContent is the bound of all tests, in bytes.
	maxContent = 100
)

// ctx is the caller's context: a call that should be given it is expected with it.
var ctx = context.WithValue(context.Background(), key{}, "the caller's")

type key struct{}

var errStore = domain.Errorf(domain.CodeUnavailable, "the store is away")

// fixture is a chat on mocked ports. A call that no test expects fails it.
type fixture struct {
	*application.Chat
	t     *testing.T
	auth  *mocks.MockAuthenticator
	rooms *mocks.MockRoomStore
	log   *mocks.MockMessageLog
	out   *mocks.MockBroadcaster
	ends  *mocks.MockDisconnector
	// logged is what the application has logged.
	logged *strings.Builder
}

// onMocks runs the test in a bubble where time stands still, so that events are expected to the instant.
func onMocks(t *testing.T, cfg application.Config, test func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctrl := gomock.NewController(t)
		f := &fixture{
			t: t, auth: mocks.NewMockAuthenticator(ctrl), rooms: mocks.NewMockRoomStore(ctrl),
			log: mocks.NewMockMessageLog(ctrl), out: mocks.NewMockBroadcaster(ctrl), ends: mocks.NewMockDisconnector(ctrl), logged: &strings.Builder{},
		}
		f.Chat = application.NewChat(cfg, f.auth, f.rooms, f.log, f.out, f.ends, slog.New(slog.NewTextHandler(f.logged, nil)))
		test(t, f)
		f.Close()
	})
}

// pass lets time pass, and what happens then happen.
func (f *fixture) pass(d time.Duration) {
	// The race detector sees no order in the passing of time. Taking the timers' lock orders the
	// expectations set before with the timers that meet them.
	f.WaitingTimers()
	time.Sleep(d)
	synctest.Wait()
}

func config() application.Config {
	return application.Config{Access: domain.AccessClaims, MaxContent: maxContent, PresenceGrace: grace}
}

// connect opens a session whose token names the conversations.
func (f *fixture) connect(id domain.SessionID, user domain.UserID, grants ...string) {
	f.t.Helper()
	f.auth.EXPECT().Authenticate(ctx, "token of "+string(user)).Return(domain.Identity{User: user, Grants: grants}, nil)
	_, err := f.Connect(ctx, id, "token of "+string(user))
	require.NoError(f.t, err)
}

// enter opens a session and puts it into the conversations; nobody has to be told.
func (f *fixture) enter(id domain.SessionID, user domain.UserID, conversations ...domain.ConversationID) {
	f.t.Helper()
	var grants []string
	for _, c := range conversations {
		grants = append(grants, string(c))
	}
	f.connect(id, user, grants...)
	for _, c := range conversations {
		f.rooms.EXPECT().Join(ctx, c.Room(), id, user).Return(false, nil)
		f.log.EXPECT().Head(ctx, c).Return(domain.Position{}, nil)
		f.rooms.EXPECT().Members(ctx, c.Room()).Return(nil, nil)
		require.NoError(f.t, f.Join(ctx, id, ports.Join{Conversation: c}, func(ports.Joined) {}))
	}
}

// expectDrop expects that the session drops out of the conversation, whose log is empty.
func (f *fixture) expectDrop(c domain.ConversationID, id domain.SessionID, user domain.UserID, last bool) {
	f.log.EXPECT().Head(live{}, c).Return(domain.Position{}, nil)
	f.rooms.EXPECT().Drop(live{}, c.Room(), id, user, time.Now().Add(grace)).Return(last, nil)
}

// at is a position in the epoch of most tests.
func at(seq uint64) domain.Position { return domain.Position{Epoch: "e1", Seq: seq} }

func place(c domain.ConversationID, seq uint64) domain.Place {
	return domain.Place{Conversation: c, At: at(seq)}
}

func absence(user domain.UserID, places ...domain.Place) domain.Absence {
	return domain.Absence{User: user, Places: places}
}

func assertCode(t *testing.T, code domain.Code, err error) {
	t.Helper()
	require.Error(t, err)
	assert.Equal(t, code, domain.AsError(err).Code, "%v", err)
}

// live matches a context that is not done and will not wait for ever.
type live struct{}

func (live) Matches(x any) bool {
	ctx, ok := x.(context.Context)
	if !ok || ctx.Err() != nil {
		return false
	}
	_, bounded := ctx.Deadline()
	return bounded
}

func (live) String() string { return "is a context with a deadline that is not done" }

// world is a chat on stores in memory. Its tokens are the names of users.
type world struct {
	*application.Chat
	t        *testing.T
	rooms    *memory.Rooms
	log      *memory.Log
	recorder *recorder
	// others are calls that a test lets run beside its own.
	others sync.WaitGroup
}

func newWorld(t *testing.T, cfg application.Config) *world {
	t.Helper()
	cfg.Access = domain.AccessAuthenticated
	w := &world{t: t, rooms: memory.NewRooms(), log: memory.NewLog(memory.LogConfig{}), recorder: newRecorder()}
	w.Chat = application.NewChat(cfg, names{}, yielding{w.rooms}, w.log, w.recorder, w.recorder, slog.New(failing{t}))
	t.Cleanup(w.Close)
	return w
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

func (w *world) members(c domain.ConversationID) []domain.UserID {
	w.t.Helper()
	users, err := w.rooms.Members(ctx, c.Room())
	require.NoError(w.t, err)
	return users
}

// yielding lets others run between a change of a room and what the application does with it, which
// makes races likely that are rare otherwise.
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

// recorder is a broadcaster that keeps what each session was sent, in order.
type recorder struct {
	mu     sync.Mutex
	queues map[domain.SessionID][]domain.Event
	ended  []domain.SessionID
}

func newRecorder() *recorder { return &recorder{queues: map[domain.SessionID][]domain.Event{}} }

func (r *recorder) Broadcast(to []domain.SessionID, except domain.SessionID, e domain.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range to {
		if id != except {
			r.queues[id] = append(r.queues[id], e)
		}
	}
}

// Disconnect notes whom the application ends.
func (r *recorder) Disconnect(ids ...domain.SessionID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = append(r.ended, ids...)
}

// takeEnded returns whom the application has ended since the last call.
func (r *recorder) takeEnded() []domain.SessionID {
	r.mu.Lock()
	defer r.mu.Unlock()
	ended := r.ended
	r.ended = nil
	return ended
}

// mark puts a note between the events of a session.
func (r *recorder) mark(id domain.SessionID, note domain.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queues[id] = append(r.queues[id], note)
}

// take returns what the session was sent since the last call.
func (r *recorder) take(id domain.SessionID) []domain.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.queues[id]
	delete(r.queues, id)
	return events
}

// untaken returns the sessions that were sent what nobody took.
func (r *recorder) untaken() []domain.SessionID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.queues))
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
