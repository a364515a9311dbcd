package application_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/mock/gomock"

	"parley/application"
	"parley/domain"
	"parley/mocks"
	"parley/ports"
)

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

// onMocks runs the test in a bubble, where time stands still, so that the times of events are known to the instant.
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

// pass lets time pass and waits until what is due has happened.
func (f *fixture) pass(d time.Duration) {
	// The race detector does not see that time orders events. Taking the timers' lock orders the expectations that
	// were set before with the timers that meet them.
	f.WaitingTimers()
	time.Sleep(d)
	synctest.Wait()
}

// connect opens a session whose token names the conversations.
func (f *fixture) connect(id domain.SessionID, user domain.UserID, grants ...string) {
	f.t.Helper()
	f.auth.EXPECT().Authenticate(ctx, "token of "+string(user)).Return(domain.Identity{User: user, Grants: grants}, nil)
	_, err := f.Connect(ctx, id, "token of "+string(user))
	require.NoError(f.t, err)
}

// enter opens a session and puts it into the conversations, of which nobody is told.
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

// live matches a context that is not done and has a deadline.
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

// notAdmitted is the admit of a join that must be refused.
func notAdmitted(t *testing.T) func(ports.Joined) {
	return func(ports.Joined) { t.Error("admitted") }
}

func notReplayed(t *testing.T) func([]domain.Event) {
	return func([]domain.Event) { t.Error("replayed") }
}

// connectUntil opens a session whose token is over at that time and names the conversation.
func (f *fixture) connectUntil(id domain.SessionID, user domain.UserID, until time.Time) {
	f.t.Helper()
	f.auth.EXPECT().Authenticate(ctx, "t").Return(domain.Identity{User: user, ExpiresAt: until, Grants: []string{"talk"}}, nil)
	_, err := f.Connect(ctx, id, "t")
	require.NoError(f.t, err)
}

// refresh gives the session a new token.
func (f *fixture) refresh(id domain.SessionID, who domain.Identity) (ports.Refreshed, error) {
	f.auth.EXPECT().Authenticate(ctx, "new").Return(who, nil)
	return f.Refresh(ctx, id, "new")
}

// allow expects one verification of the user's token, which names the conversations.
func (f *fixture) allow(user domain.UserID, grants ...string) {
	f.auth.EXPECT().Authenticate(ctx, "token of "+string(user)).Return(domain.Identity{User: user, Grants: grants}, nil)
}

// expectLook expects that all places are checked, and that nothing was missed.
func (f *fixture) expectLook(from domain.Absence) {
	for _, p := range from.Places {
		f.log.EXPECT().After(ctx, p.Conversation, p.At).Return(nil, "", nil)
	}
}

// expectBack expects that the session is put back into its places.
func (f *fixture) expectBack(from domain.Absence) {
	for _, p := range from.Places {
		f.rooms.EXPECT().Join(ctx, p.Conversation.Room(), s1, from.User).Return(false, nil)
		f.log.EXPECT().Head(ctx, p.Conversation).Return(p.At, nil)
		f.log.EXPECT().After(ctx, p.Conversation, p.At).Return(nil, "", nil)
		f.rooms.EXPECT().Members(ctx, p.Conversation.Room()).Return(nil, nil)
	}
}

// recovers recovers s1 with its user's token, which must succeed.
func (f *fixture) recovers(from domain.Absence) (replayed []domain.Message) {
	f.t.Helper()
	recovered, err := f.Recover(ctx, s1, from, "token of "+string(from.User), func(es []domain.Event) {
		replayed = append(replayed, messages(es)...)
	})
	require.NoError(f.t, err)
	assert.True(f.t, recovered)
	return replayed
}

// doesNotRecover tries to recover s1, which must change nothing.
func (f *fixture) doesNotRecover(from domain.Absence, user domain.UserID) {
	f.t.Helper()
	recovered, err := f.Recover(ctx, s1, from, "token of "+string(user), notReplayed(f.t))
	require.NoError(f.t, err)
	assert.False(f.t, recovered)
	assert.Zero(f.t, f.SessionCount())
}
