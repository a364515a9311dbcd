package application_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

func TestChat_Announce(t *testing.T) {
	t.Run("every session of the conversation is told, and nobody else", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter(s2, bob, other)
			w.recorder.take(s1)
			require.NoError(t, w.Update(ctx, talk, []byte(`{"title":"x"}`)))
			require.NoError(t, w.Announce(ctx, talk, "price_alert", []byte(`[1]`)))
			require.NoError(t, w.Announce(ctx, talk, "price_alert", nil))
			require.NoError(t, w.Update(ctx, "nobody's", []byte(`{}`)))
			assert.Equal(t, []domain.Event{
				domain.ConversationUpdated{Conversation: talk, Changes: []byte(`{"title":"x"}`), At: time.Now()},
				domain.Announced{Conversation: talk, Name: "price_alert", Data: []byte(`[1]`), At: time.Now()},
				domain.Announced{Conversation: talk, Name: "price_alert", At: time.Now()},
			}, w.recorder.take(s1))
			assert.Empty(t, w.recorder.take(s2))
		})
	})
	t.Run("the failure of a store and the refusal of a server that is about to stop are returned", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(nil, errStore)
			assertCode(t, domain.CodeUnavailable, f.Update(ctx, talk, nil))
			f.Close()
			assertCode(t, domain.CodeDraining, f.Update(ctx, talk, nil))
			assertCode(t, domain.CodeDraining, f.Announce(ctx, talk, "x", nil))
		})
	})
}

func TestChat_Conversations(t *testing.T) {
	t.Run("conversations with members are listed in order, page by page, and counted", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			var want []ports.Conversation
			w.connect(s1, ann)
			w.connect(s2, ann)
			w.connect("s3", bob)
			for i := range 25 {
				c := domain.ConversationID(fmt.Sprintf("c%02d", i))
				w.join(s1, c)
				w.join(s2, c)
				one := ports.Conversation{ID: c, Members: 1, Sessions: 2}
				if i%3 == 0 {
					w.join("s3", c)
					one.Members, one.Sessions = 2, 3
				}
				want = append(want, one)
			}
			var got []ports.Conversation
			for after := domain.ConversationID(""); ; {
				page, err := w.Conversations(ctx, after, 7)
				require.NoError(t, err)
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				after = page[len(page)-1].ID
			}
			assert.Equal(t, want, got)
			w.Disconnect(ctx, s1, ports.Left)
			w.Disconnect(ctx, s2, ports.Dropped)
			w.Disconnect(ctx, "s3", ports.Left)
			page, err := w.Conversations(ctx, "c00", 1)
			require.NoError(t, err)
			assert.Equal(t, []ports.Conversation{{ID: "c01", Members: 1}}, page, "who may come back is a member")
			w.pass(grace)
			for _, limit := range []int{-1, 0, 10} {
				page, err = w.Conversations(ctx, "", limit)
				require.NoError(t, err)
				assert.Empty(t, page)
			}
		})
	})
	t.Run("conversations that end while they are listed do not end the list", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			holds := func(c domain.ConversationID, users ...domain.UserID) {
				f.rooms.EXPECT().Members(ctx, c.Room()).Return(users, nil)
				f.rooms.EXPECT().Sessions(ctx, c.Room()).Return(nil, nil)
			}
			rooms := func(all ...domain.ConversationID) (ids []domain.RoomID) {
				for _, c := range all {
					ids = append(ids, c.Room())
				}
				return ids
			}
			f.rooms.EXPECT().Rooms(ctx, domain.ConversationID("").Room(), 2).Return(rooms("c1", "c2"), nil)
			holds("c1", ann)
			holds("c2")
			f.rooms.EXPECT().Rooms(ctx, domain.ConversationID("c2").Room(), 1).Return(rooms("c3"), nil)
			holds("c3", bob)
			page, err := f.Conversations(ctx, "", 2)
			require.NoError(t, err)
			assert.Equal(t, []ports.Conversation{{ID: "c1", Members: 1}, {ID: "c3", Members: 1}}, page)
		})
	})
	t.Run("the members are the users who are present", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s2, bob, talk)
			w.enter(s1, ann, talk)
			members, err := w.Members(ctx, talk)
			require.NoError(t, err)
			assert.Equal(t, []domain.UserID{ann, bob}, members)
			members, err = w.Members(ctx, "nobody's")
			require.NoError(t, err)
			assert.Empty(t, members)
		})
	})
	t.Run("the failure of a store is returned", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.rooms.EXPECT().Rooms(ctx, other.Room(), 5).Return(nil, errStore)
			_, err := f.Conversations(ctx, other, 5)
			assertCode(t, domain.CodeUnavailable, err)
		})
	})
}

func TestChat_OpenSessions(t *testing.T) {
	t.Run("open sessions are listed in order, of one user or of all", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter("a2", ann, talk, other)
			w.pass(time.Second)
			w.enter("a1", ann)
			w.enter("b1", bob, talk)
			all, err := w.OpenSessions(ctx, "", "", 10)
			require.NoError(t, err)
			assert.Equal(t, []domain.SessionID{"a1", "a2", "b1"}, ids(all))
			assert.Equal(t, []domain.ConversationID{other, talk}, all[1].Conversations)
			assert.Equal(t, ann, all[1].User)
			assert.Equal(t, time.Second, all[0].ConnectedAt.Sub(all[1].ConnectedAt))
			for _, c := range []struct {
				user  domain.UserID
				after domain.SessionID
				limit int
				want  []domain.SessionID
			}{
				{"", "a1", 1, []domain.SessionID{"a2"}},
				{"", "a2", 9, []domain.SessionID{"b1"}},
				{"", "b1", 9, nil},
				{ann, "", 9, []domain.SessionID{"a1", "a2"}},
				{ann, "a1", 9, []domain.SessionID{"a2"}},
				{bob, "", 9, []domain.SessionID{"b1"}},
				{"zoe", "", 9, nil},
				{"", "", 0, nil},
				{"", "", -1, nil},
			} {
				got, err := w.OpenSessions(ctx, c.user, c.after, c.limit)
				require.NoError(t, err)
				assert.Equal(t, c.want, ids(got), "%+v", c)
			}
			w.Disconnect(ctx, "a1", ports.Dropped)
			all, err = w.OpenSessions(ctx, ann, "", 10)
			require.NoError(t, err)
			assert.Equal(t, []domain.SessionID{"a2"}, ids(all))
		})
	})
	t.Run("a user's sessions come and go in any order", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			open := map[domain.SessionID]bool{}
			for range 300 {
				id := domain.SessionID(strconv.Itoa(rand.IntN(8)))
				if open[id] {
					w.Disconnect(ctx, id, ports.Left)
					delete(open, id)
				} else {
					w.connect(id, ann)
					open[id] = true
				}
				listed, err := w.OpenSessions(ctx, ann, "", 10)
				require.NoError(t, err)
				require.Equal(t, slices.Sorted(maps.Keys(open)), ids(listed))
			}
		})
	})
	t.Run("one session is ended, or all sessions of a user are", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter("a1", ann)
			w.enter("a2", ann)
			w.enter("b1", bob)
			assertCode(t, domain.CodeNotFound, w.EndSession(ctx, "nobody"))
			require.NoError(t, w.EndSession(ctx, "b1"))
			assert.Equal(t, []domain.SessionID{"b1"}, w.recorder.takeEnded())
			n, err := w.EndSessions(ctx, ann)
			require.NoError(t, err)
			assert.Equal(t, 2, n)
			assert.ElementsMatch(t, []domain.SessionID{"a1", "a2"}, w.recorder.takeEnded())
			n, err = w.EndSessions(ctx, "zoe")
			require.NoError(t, err)
			assert.Zero(t, n)
		})
	})
}
