package application_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
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

// tally is a broadcaster that counts: what each event was told to how many.
type tally struct {
	messages, joined, left, told atomic.Int64
}

func (y *tally) Broadcast(to []domain.SessionID, _ domain.SessionID, e domain.Event) {
	switch e.(type) {
	case domain.MessageSent:
		y.messages.Add(1)
		y.told.Add(int64(len(to)))
	case domain.UserJoined:
		y.joined.Add(1)
	case domain.UserLeft:
		y.left.Add(1)
	}
}

func (*tally) Disconnect(...domain.SessionID) {}

// newStorm returns a chat that tells nobody anything, and what counts it.
func newStorm(t *testing.T) (*application.Chat, *memory.Rooms, *tally) {
	t.Helper()
	rooms, out := memory.NewRooms(), &tally{}
	c := application.NewChat(application.Config{
		Access: domain.AccessAuthenticated, MaxContent: 65_536, PresenceGrace: grace, ConfirmWindow: window, RecoveryWindow: window,
	}, names{}, rooms, memory.NewLog(memory.LogConfig{}), out, out, slog.New(failing{t}))
	t.Cleanup(c.Close)
	return c, rooms, out
}

func enterAll(t *testing.T, c *application.Chat, i int, conversations ...domain.ConversationID) {
	_, err := c.Connect(ctx, session(i), fmt.Sprint("user-", i))
	assert.NoError(t, err)
	for _, conversation := range conversations {
		assert.NoError(t, c.Join(ctx, session(i), ports.Join{Conversation: conversation}, func(ports.Joined) {}))
	}
}

func TestStorm_room(t *testing.T) {
	for _, size := range []int{1, 100, 1_000, 10_000} {
		t.Run(fmt.Sprintf("a room of %d fills, is told, confirms, and empties at once", size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, rooms, out := newStorm(t)
				inTurns(size, func(i int) { enterAll(t, c, i, talk) })
				assert.EqualValues(t, size, out.joined.Load())
				members, err := rooms.Members(ctx, talk.Room())
				require.NoError(t, err)
				require.Len(t, members, size)

				r, err := c.Send(ctx, session(0), ports.Send{Conversation: talk, Content: strings.Repeat("x", 65_536), Confirm: true})
				require.NoError(t, err)
				inTurns(size, func(i int) { assert.NoError(t, c.Acknowledge(ctx, session(i), talk, r.At.Seq)) })
				assert.EqualValues(t, 1, out.messages.Load(), "one broadcast tells all")
				assert.EqualValues(t, size, out.told.Load())
				synctest.Wait()
				assert.Equal(t, application.UnderWay{}, c.UnderWay(), "all have confirmed")

				inTurns(size, func(i int) { c.Disconnect(ctx, session(i), ports.Dropped) })
				time.Sleep(grace + time.Second)
				synctest.Wait()
				assert.Zero(t, c.SessionCount())
				assert.Zero(t, c.WaitingTimers())
				left, err := rooms.Rooms(ctx, "", 10)
				require.NoError(t, err)
				assert.Empty(t, left)
			})
		})
	}
}

// inTurns calls f for each number from 0 to n, on a few goroutines at once.
func inTurns(n int, f func(int)) {
	const workers = 8
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	all.Wait()
}

func TestStorm_many_conversations(t *testing.T) {
	const users, each = 200, 300
	synctest.Test(t, func(t *testing.T) {
		c, rooms, out := newStorm(t)
		conversations := make([]domain.ConversationID, each)
		for i := range conversations {
			conversations[i] = domain.ConversationID(fmt.Sprint("c-", i))
		}
		inTurns(users, func(i int) { enterAll(t, c, i, conversations...) })
		require.EqualValues(t, users*each, out.joined.Load())

		absences := make([]domain.Absence, users)
		inTurns(users, func(i int) { absences[i] = c.Disconnect(ctx, session(i), ports.Dropped) })
		assert.Equal(t, users, c.WaitingTimers(), "one timer for each user, not for each place")
		for _, a := range absences {
			assert.Len(t, a.Places, each)
		}

		// Half of them are back in time, into all their conversations.
		inTurns(users/2, func(i int) {
			back, err := c.Recover(ctx, session(i), absences[i], fmt.Sprint("user-", i), func([]domain.Event) {})
			assert.NoError(t, err)
			assert.True(t, back)
		})
		time.Sleep(grace + time.Second)
		synctest.Wait()
		assert.EqualValues(t, users*each/2, out.left.Load(), "the other half has left each of them, once")
		assert.EqualValues(t, users*each, out.joined.Load(), "nobody else has come")
		for _, conversation := range conversations {
			members, err := rooms.Members(context.Background(), conversation.Room())
			require.NoError(t, err)
			require.Len(t, members, users/2)
		}
		inTurns(users/2, func(i int) { c.Disconnect(ctx, session(i), ports.Left) })
		left, err := rooms.Rooms(ctx, "", 10)
		require.NoError(t, err)
		assert.Empty(t, left)
	})
}
