package application_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

// typings returns the typing that the session was told of since the last call.
func (w *world) typings(id domain.SessionID) (all []domain.TypingChanged) {
	for _, e := range w.recorder.take(id) {
		if e, ok := e.(domain.TypingChanged); ok {
			all = append(all, e)
		}
	}
	return all
}

func types(c domain.ConversationID, u domain.UserID, is bool) domain.TypingChanged {
	return domain.TypingChanged{Conversation: c, User: u, IsTyping: is, At: time.Now()}
}

func TestChat_Typing(t *testing.T) {
	for _, isTyping := range []bool{true, false} {
		t.Run(fmt.Sprint("every session but the typing one is told ", isTyping), func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.enter(s1, ann, talk)
				f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return([]domain.SessionID{s1, s2}, nil)
				f.out.EXPECT().Broadcast([]domain.SessionID{s1, s2}, s1,
					domain.TypingChanged{Conversation: talk, User: ann, IsTyping: isTyping, At: time.Now()})
				require.NoError(t, f.Typing(ctx, s1, talk, isTyping))
			})
		})
	}
	t.Run("typing without permission, from outside the conversation or without a session is refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			assertCode(t, domain.CodeForbidden, f.Typing(ctx, s1, other, true))
			assertCode(t, domain.CodeNotInConversation, f.Typing(ctx, s1, talk, true))
			assertCode(t, domain.CodeUnavailable, f.Typing(ctx, "nobody", talk, true))
		})
	})
	t.Run("the failure of a store is returned", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(nil, errStore)
			assertCode(t, domain.CodeUnavailable, f.Typing(ctx, s1, talk, true))
		})
	})
	t.Run("the failure of a store in a timer is logged", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(nil, nil)
			f.out.EXPECT().Broadcast(nil, s1, types(talk, ann, true))
			require.NoError(t, f.Typing(ctx, s1, talk, true))
			f.rooms.EXPECT().Sessions(live{}, talk.Room()).Return(nil, errStore)
			f.pass(domain.TypingExpiry)
			assert.Contains(t, f.logged.String(), "typing was not told")
			f.pass(time.Second)
			assert.Zero(t, f.WaitingTimers())
			assert.Zero(t, f.UnderWay().Typists)
		})
	})
}

func TestChat_Typing_time(t *testing.T) {
	t.Run("a user who says nothing more stops typing after a while, and nothing stays", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			require.NoError(t, w.Typing(ctx, s1, talk, true))
			assert.Equal(t, []domain.TypingChanged{types(talk, ann, true)}, w.typings(s2))
			w.pass(domain.TypingExpiry - 1)
			assert.Empty(t, w.typings(s2))
			w.pass(1)
			assert.Equal(t, []domain.TypingChanged{types(talk, ann, false)}, w.typings(s2))
			assert.Empty(t, w.typings(s1))
			w.pass(time.Second)
			w.holdsNothing()
		})
	})
	t.Run("a user who drops while typing stops typing after a while", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			require.NoError(t, w.Typing(ctx, s1, talk, true))
			w.Disconnect(ctx, s1, ports.Dropped)
			w.typings(s2)
			w.pass(domain.TypingExpiry)
			assert.Equal(t, []domain.TypingChanged{types(talk, ann, false)}, w.typings(s2))
			w.pass(grace)
		})
	})
	t.Run("a user's tabs that were told of typing in another tab are told of its end", func(t *testing.T) {
		ends := map[string]func(w *world){
			"stops":        func(w *world) { require.NoError(w.t, w.Typing(ctx, "ann's other", talk, false)) },
			"says nothing": func(w *world) { w.pass(domain.TypingExpiry) },
			"sends": func(w *world) {
				_, err := w.Send(ctx, "ann's other", ports.Send{Conversation: talk, Content: "hello"})
				require.NoError(w.t, err)
			},
		}
		for way, end := range ends {
			for _, after := range []time.Duration{time.Second, 2 * time.Second} {
				inWorld(t, func(t *testing.T, w *world) {
					w.enter(s1, ann, talk)
					w.enter("ann's other", ann, talk)
					require.NoError(t, w.Typing(ctx, s1, talk, true))
					assert.Equal(t, []domain.TypingChanged{types(talk, ann, true)}, w.typings("ann's other"))
					w.pass(after)
					require.NoError(t, w.Typing(ctx, "ann's other", talk, true))
					heard := w.typings(s1)
					assert.Len(t, heard, int(after/(2*time.Second)), "that the user goes on is told every two seconds")
					w.pass(time.Second)
					end(w)
					told := w.typings("ann's other")
					require.Len(t, told, 1, way)
					assert.False(t, told[0].IsTyping)
					assert.Len(t, w.typings(s1), len(heard), "%s: its end is told to whom it was", way)
					w.pass(time.Second)
				})
			}
		}
	})
	for way, leave := range map[string]func(w *world){
		"leaves":       func(w *world) { require.NoError(w.t, w.Leave(ctx, s1, talk)) },
		"says goodbye": func(w *world) { w.Disconnect(ctx, s1, ports.Left) },
	} {
		t.Run("the typing of a user who "+way+" ends without an event of its own", func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.pair()
				require.NoError(t, w.Typing(ctx, s1, talk, true))
				leave(w)
				w.typings(s2)
				w.holdsNothing()
				w.pass(time.Minute)
				assert.Empty(t, w.typings(s2))
			})
		})
	}
	t.Run("a message ends the typing of its sender, before the message", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			require.NoError(t, w.Typing(ctx, s1, talk, true))
			w.pass(time.Second)
			w.recorder.take(s2)
			w.recorder.take(s1)
			_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
			require.NoError(t, err)
			events := w.recorder.take(s2)
			require.Len(t, events, 2)
			assert.Equal(t, types(talk, ann, false), events[0])
			assert.Empty(t, w.typings(s1))
			w.pass(time.Second)
			w.holdsNothing()
		})
	})
	t.Run("the message of one who does not type tells nothing else", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk, other)
			w.enter(s2, bob, talk, other)
			require.NoError(t, w.Typing(ctx, s2, talk, true))
			require.NoError(t, w.Typing(ctx, s1, other, true))
			w.recorder.take(s2)
			_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
			require.NoError(t, err)
			assert.Len(t, w.recorder.take(s2), 1)
			w.pass(time.Minute)
		})
	})
	t.Run("typing and sending in a flood is told twice in a pause at most", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			for range 500 {
				require.NoError(t, w.Typing(ctx, s1, talk, true))
				_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
				require.NoError(t, err)
				w.pass(10 * time.Millisecond)
			}
			w.pass(time.Minute)
			told := w.typings(s2)
			assert.LessOrEqual(t, len(told), 42)
			assert.False(t, told[len(told)-1].IsTyping)
		})
	})
	t.Run("a backend's user types without a session, and stops by itself", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s2, bob, talk)
			require.NoError(t, w.ShowTyping(ctx, talk, "coach", true))
			assert.Equal(t, []domain.TypingChanged{types(talk, "coach", true)}, w.typings(s2))
			w.pass(domain.TypingExpiry)
			assert.Equal(t, []domain.TypingChanged{types(talk, "coach", false)}, w.typings(s2))
			require.NoError(t, w.ShowTyping(ctx, "nobody's", "coach", true))
			w.pass(time.Minute)
		})
	})
	t.Run("a server that is about to stop tells no typing", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.recorder.take(s2)
			w.Close()
			for range 10 {
				require.NoError(t, w.Typing(ctx, s1, talk, true))
			}
			assert.Empty(t, w.typings(s2))
			assertCode(t, domain.CodeDraining, w.ShowTyping(ctx, talk, "coach", true))
		})
	})
}

// TestChat_Typing_flood lets many users with several sessions type in several conversations, and checks what
// somebody who listens is told: never two events of one user in one conversation within the pause, in the end
// that nobody types, and what a user said last once the pause is over.
func TestChat_Typing_flood(t *testing.T) {
	const users, tabs, rounds = 20, 2, 60
	const pause = 250 * time.Millisecond
	inWorld(t, func(t *testing.T, w *world) {
		rooms := []domain.ConversationID{"c1", "c2", "c3"}
		w.enter("listener", "eve", rooms...)
		for i := range users * tabs {
			w.enter(session(i), domain.UserID(fmt.Sprint("u", i%users)), rooms...)
		}
		w.recorder.take("listener")
		type typist struct {
			c domain.ConversationID
			u domain.UserID
		}
		told := map[typist]domain.TypingChanged{}
		listen := func() {
			for _, e := range w.typings("listener") {
				before, was := told[typist{e.Conversation, e.User}]
				if was {
					require.GreaterOrEqual(t, e.At.Sub(before.At), pause, "%+v", e)
				}
				told[typist{e.Conversation, e.User}] = e
			}
		}
		for round := range rounds {
			var all sync.WaitGroup
			for i := range users * tabs {
				all.Go(func() {
					random := rand.New(rand.NewPCG(uint64(round), uint64(i)))
					for range 5 {
						time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
						assert.NoError(t, w.Typing(ctx, session(i), rooms[random.IntN(3)], random.IntN(2) == 0))
					}
				})
			}
			all.Wait()
			synctest.Wait()
			listen()
		}
		for i := range users {
			require.NoError(t, w.Typing(ctx, session(i), "c1", true))
			require.NoError(t, w.Typing(ctx, session(i), "c2", false))
		}
		w.pass(pause)
		listen()
		for i := range users {
			u := domain.UserID(fmt.Sprint("u", i))
			assert.True(t, told[typist{"c1", u}].IsTyping, "%s", u)
			assert.False(t, told[typist{"c2", u}].IsTyping, "%s", u)
		}
		w.pass(domain.TypingExpiry + pause)
		listen()
		require.Len(t, told, users*len(rooms))
		for _, e := range told {
			require.False(t, e.IsTyping)
		}
		w.holdsNothing()
	})
}
