package application_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

func TestChat_Authenticate(t *testing.T) {
	onMocks(t, config(), func(t *testing.T, f *fixture) {
		who := domain.Identity{User: "ann", ExpiresAt: time.Now().Add(time.Hour), Grants: []string{"talk"}}
		f.auth.EXPECT().Authenticate(ctx, "good").Return(who, nil)
		got, err := f.Authenticate(ctx, "good")
		require.NoError(t, err)
		assert.Equal(t, who, got)

		f.auth.EXPECT().Authenticate(ctx, "bad").Return(domain.Identity{}, domain.Errorf(domain.CodeUnauthorized, "no"))
		_, err = f.Authenticate(ctx, "bad")
		assertCode(t, domain.CodeUnauthorized, err)
	})
}

func TestChat_Connect(t *testing.T) {
	t.Run("a valid token opens a session for its user", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			who := domain.Identity{User: "ann", ExpiresAt: time.Now().Add(time.Hour)}
			f.auth.EXPECT().Authenticate(ctx, "good").Return(who, nil)
			got, err := f.Connect(ctx, "s1", "good")
			require.NoError(t, err)
			assert.Equal(t, who, got)
			// The session is open: it is refused for where it is, not for what it is.
			assertCode(t, domain.CodeForbidden, f.Typing(ctx, "s1", talk, true))
		})
	})
	for _, code := range []domain.Code{domain.CodeUnauthorized, domain.CodeTokenExpired, domain.CodeUnavailable} {
		t.Run("a token that is "+string(code)+" opens nothing", func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.auth.EXPECT().Authenticate(ctx, "bad").Return(domain.Identity{User: "ann"}, domain.Errorf(code, "no"))
				who, err := f.Connect(ctx, "s1", "bad")
				assertCode(t, code, err)
				assert.Zero(t, who)
				assertCode(t, domain.CodeUnavailable, f.Typing(ctx, "s1", talk, true))
			})
		})
	}
	t.Run("an id that is taken is refused, and the session that has it stays", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter("s1", "ann", talk)
			f.auth.EXPECT().Authenticate(ctx, "token of bob").Return(domain.Identity{User: "bob"}, nil)
			_, err := f.Connect(ctx, "s1", "token of bob")
			assertCode(t, domain.CodeUnavailable, err)

			f.rooms.EXPECT().Members(ctx, talk.Room()).Return([]domain.UserID{"ann"}, nil)
			members, err := f.Presence(ctx, "s1", talk)
			require.NoError(t, err)
			assert.Equal(t, []domain.UserID{"ann"}, members)
		})
	})
	t.Run("an id is free again after Disconnect, and its new session is nowhere", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter("s1", "ann", talk)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), domain.SessionID("s1"), domain.UserID("ann")).Return(false, nil)
			f.Disconnect(ctx, "s1", ports.Left)
			f.connect("s1", "ann", "talk")
			assertCode(t, domain.CodeNotInConversation, f.Typing(ctx, "s1", talk, true))
		})
	})
}

func TestChat_last_activity(t *testing.T) {
	verbs := map[string]func(w *world){
		"joining":          func(w *world) { w.join(s1, talk) },
		"joining again":    func(w *world) { w.join(s1, other) },
		"leaving":          func(w *world) { _ = w.Leave(ctx, s1, other) },
		"sending":          func(w *world) { _, _ = w.Send(ctx, s1, ports.Send{Conversation: other, Content: "hello"}) },
		"typing":           func(w *world) { _ = w.Typing(ctx, s1, other, true) },
		"asking":           func(w *world) { _, _ = w.Presence(ctx, s1, other) },
		"what is refused":  func(w *world) { _ = w.Typing(ctx, s1, "elsewhere", true) },
		"an empty message": func(w *world) { _, _ = w.Send(ctx, s1, ports.Send{Conversation: other}) },
	}
	for name, verb := range verbs {
		t.Run(name+" is a sign of life", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, config())
				w.enter(s1, "ann", other)
				connected := time.Now().UTC().Round(0)
				assert.Equal(t, connected, w.LastActivity(s1))
				time.Sleep(time.Minute)
				assert.Equal(t, connected, w.LastActivity(s1))
				verb(w)
				assert.Equal(t, connected.Add(time.Minute), w.LastActivity(s1))
			})
		})
	}
}
