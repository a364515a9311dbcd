package application_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

func TestChat_Refresh(t *testing.T) {
	t.Run("the new token decides from now on", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			until := time.Now().Add(time.Hour)
			refreshed, err := f.refresh(s1, domain.Identity{User: ann, ExpiresAt: until, Grants: []string{"talk", "other"}})
			require.NoError(t, err)
			assert.Equal(t, ports.Refreshed{ExpiresAt: until}, refreshed)
			assert.Equal(t, time.Now().UTC(), f.LastActivity(s1))
			assertCode(t, domain.CodeNotInConversation, f.Typing(ctx, s1, other, true))
		})
	})
	t.Run("conversations that the new token does not name are left, and the others are told", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other, third)
			for _, c := range []domain.ConversationID{other, third} {
				f.rooms.EXPECT().Sessions(ctx, c.Room()).Return([]domain.SessionID{s1, s2}, nil)
				f.rooms.EXPECT().Leave(ctx, c.Room(), s1, ann).Return(c == other, nil)
			}
			f.out.EXPECT().Broadcast([]domain.SessionID{s1, s2}, s1, domain.UserLeft{Conversation: other, User: ann, At: time.Now()})
			refreshed, err := f.refresh(s1, domain.Identity{User: ann, Grants: []string{"talk"}})
			require.NoError(t, err)
			assert.Equal(t, []domain.ConversationID{other, third}, refreshed.Left)
			assertCode(t, domain.CodeForbidden, f.Typing(ctx, s1, other, true))
			assertCode(t, domain.CodeNotInConversation, f.Leave(ctx, s1, other))
		})
	})
	t.Run("another user's token, one that is not valid and an unknown session change nothing", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			_, err := f.refresh(s1, domain.Identity{User: bob})
			assertCode(t, domain.CodeForbidden, err)
			f.auth.EXPECT().Authenticate(ctx, "old").Return(domain.Identity{}, domain.Errorf(domain.CodeTokenExpired, "over"))
			_, err = f.Refresh(ctx, s1, "old")
			assertCode(t, domain.CodeTokenExpired, err)
			_, err = f.Refresh(ctx, "nobody", "new")
			assertCode(t, domain.CodeUnavailable, err)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil)
			_, err = f.Presence(ctx, s1, talk)
			require.NoError(t, err)
		})
	})
	t.Run("a session that cannot be taken out of a conversation is ended", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(nil, errStore)
			f.ends.EXPECT().Disconnect(s1)
			_, err := f.refresh(s1, domain.Identity{User: ann})
			assertCode(t, domain.CodeUnavailable, err)
			assert.Contains(t, f.logged.String(), "did not leave")
			assertCode(t, domain.CodeForbidden, f.Typing(ctx, s1, talk, true))
		})
	})
	t.Run("no confirmation is awaited from a user whose new token has lost the conversation", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.enter(s2, bob, talk)
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return([]domain.SessionID{s1, s2}, nil).Times(2)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return([]domain.UserID{ann, bob}, nil)
			d := domain.Draft{Conversation: talk, User: ann, ID: "m1", Content: "hello"}
			m := domain.Message{Draft: d, Seq: 1, Epoch: "e1", At: time.Now()}
			f.log.EXPECT().Append(ctx, d, time.Now()).Return(m, false, nil)
			told := f.out.EXPECT().Broadcast([]domain.SessionID{s1, s2}, domain.SessionID(""), asking{m})
			_, err := f.Send(ctx, s1, ports.Send{Conversation: talk, ID: "m1", Content: "hello", Confirm: true})
			require.NoError(t, err)
			f.rooms.EXPECT().Leave(ctx, talk.Room(), s2, bob).Return(true, nil)
			f.out.EXPECT().Broadcast([]domain.SessionID{s1}, domain.SessionID(""), domain.MessageDelivered{
				Conversation: talk, Message: "m1", Seq: 1, Expected: 1, Pending: []domain.UserID{bob}, At: time.Now(),
			}).After(told.Call)
			f.out.EXPECT().Broadcast([]domain.SessionID{s1, s2}, s2, domain.UserLeft{Conversation: talk, User: bob, At: time.Now()})
			_, err = f.refresh(s2, domain.Identity{User: bob})
			require.NoError(t, err)
			assert.Equal(t, application.UnderWay{}, f.UnderWay())
		})
	})
}

// asking matches the message with any delivery.
type asking struct{ m domain.Message }

func (a asking) Matches(x any) bool {
	sent, ok := x.(domain.MessageSent)
	return ok && sent.Delivery != 0 && assert.ObjectsAreEqual(a.m, sent.Message)
}

func (asking) String() string { return "is the message, to be confirmed" }

func TestChat_Expire(t *testing.T) {
	only := func(ids ...domain.SessionID) []domain.SessionID { return ids }
	ended := domain.SessionEnded{Reason: domain.Errorf(domain.CodeTokenExpired, "the token has expired: connect with a new one")}
	t.Run("a session is warned once, a minute before its token expires, and ended once, at that instant", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			until := time.Now().Add(time.Hour)
			f.connectUntil(s1, ann, until)
			f.connectUntil("s3", "eve", time.Time{})
			f.Expire(until.Add(-time.Minute - 1))
			f.out.EXPECT().Broadcast(only(s1), domain.SessionID(""), domain.TokenExpiring{ExpiresAt: until})
			for left := time.Minute; left > 0; left -= time.Second {
				f.Expire(until.Add(-left))
			}
			f.Expire(until.Add(-1))
			f.out.EXPECT().Broadcast(only(s1), domain.SessionID(""), ended)
			f.ends.EXPECT().Disconnect(s1)
			f.Expire(until)
			for n := range 9 {
				f.Expire(until.Add(time.Duration(n) * time.Second))
			}
			f.Disconnect(ctx, s1, ports.Left)
			f.Expire(until.Add(time.Hour))
			assert.Equal(t, 1, f.SessionCount())
		})
	})
	t.Run("a session that should have ended and is still open is ended again, but not told again", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			until := time.Now().Add(time.Minute)
			f.connectUntil(s1, ann, until)
			f.out.EXPECT().Broadcast(only(s1), domain.SessionID(""), ended)
			f.ends.EXPECT().Disconnect(s1).Times(4)
			for n := range 36 {
				f.Expire(until.Add(time.Duration(n) * time.Second))
			}
		})
	})
	t.Run("a session that was refreshed in time goes on until the new expiry", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			until := time.Now().Add(time.Hour)
			f.connectUntil(s1, ann, until)
			f.out.EXPECT().Broadcast(only(s1), domain.SessionID(""), domain.TokenExpiring{ExpiresAt: until})
			f.Expire(until.Add(-time.Minute))
			later := until.Add(time.Hour)
			_, err := f.refresh(s1, domain.Identity{User: ann, ExpiresAt: later})
			require.NoError(t, err)
			f.Expire(until)
			f.Expire(later.Add(-time.Minute - 1))
			f.out.EXPECT().Broadcast(only(s1), domain.SessionID(""), domain.TokenExpiring{ExpiresAt: later})
			f.Expire(later.Add(-time.Minute))
			f.out.EXPECT().Broadcast(only(s1), domain.SessionID(""), ended)
			f.ends.EXPECT().Disconnect(s1)
			f.Expire(later)
		})
	})
	t.Run("a token that ends sooner than the one before counts", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connectUntil(s1, ann, time.Now().Add(time.Hour))
			sooner := time.Now().Add(2 * time.Minute)
			_, err := f.refresh(s1, domain.Identity{User: ann, ExpiresAt: sooner})
			require.NoError(t, err)
			f.out.EXPECT().Broadcast(only(s1), domain.SessionID(""), ended)
			f.ends.EXPECT().Disconnect(s1)
			f.Expire(sooner)
		})
	})
	t.Run("a session that was told that it has expired cannot be refreshed", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			until := time.Now().Add(time.Minute)
			f.connectUntil(s1, ann, until)
			f.out.EXPECT().Broadcast(only(s1), domain.SessionID(""), ended)
			f.ends.EXPECT().Disconnect(s1)
			f.Expire(until)
			_, err := f.refresh(s1, domain.Identity{User: ann, ExpiresAt: until.Add(time.Hour)})
			assertCode(t, domain.CodeTokenExpired, err)
		})
	})
	t.Run("a token that is over lets its session say nothing, also before it is ended", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connectUntil(s1, ann, time.Now().Add(time.Second))
			f.pass(time.Second)
			assertCode(t, domain.CodeTokenExpired, f.Typing(ctx, s1, talk, true))
			assertCode(t, domain.CodeTokenExpired, f.Join(ctx, s1, ports.Join{Conversation: talk}, func(ports.Joined) {}))
			f.Confirm(ctx, s1, 1)
		})
	})
	t.Run("each of many sessions is ended once, however they are looked for", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			auth := expiring{}
			c := application.NewChat(config(), auth, w.rooms, w.log, w.recorder, w.recorder, nil)
			defer c.Close()
			for i := range 500 {
				_, err := c.Connect(ctx, session(i), fmt.Sprint(i%100))
				require.NoError(t, err)
			}
			for range 105 {
				time.Sleep(time.Second)
				c.Expire(time.Now())
				for _, id := range w.recorder.takeEnded() {
					c.Disconnect(ctx, id, ports.Left)
				}
			}
			assert.Zero(t, c.SessionCount())
			for i := range 500 {
				assert.Len(t, w.recorder.take(session(i)), 2, "%d: a warning and the end", i)
			}
		})
	})
}

// expiring is an authenticator whose tokens say how many seconds they are valid, more than one at least.
type expiring struct{}

func (expiring) Authenticate(_ context.Context, token string) (domain.Identity, error) {
	var seconds int
	if _, err := fmt.Sscan(token, &seconds); err != nil {
		return domain.Identity{}, err
	}
	return domain.Identity{User: domain.UserID("u" + token), ExpiresAt: time.Now().Add(time.Duration(seconds+2) * time.Second)}, nil
}
