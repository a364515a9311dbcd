package application_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

func TestChat_Disconnect_left(t *testing.T) {
	t.Run("the user's departure is told at once in each conversation", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other)
			for _, c := range []domain.ConversationID{talk, other} {
				f.rooms.EXPECT().Leave(live{}, c.Room(), s1, ann).Return(true, nil)
				f.rooms.EXPECT().Sessions(live{}, c.Room()).Return([]domain.SessionID{s2}, nil)
				f.out.EXPECT().Broadcast([]domain.SessionID{s2}, nobody,
					domain.UserLeft{Conversation: c, User: ann, At: time.Now()})
			}
			f.Disconnect(ctx, s1, ports.Left)
		})
	})
	t.Run("nobody is told of a user who has another session there, nor in an empty room", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(false, nil)
			f.rooms.EXPECT().Leave(live{}, other.Room(), s1, ann).Return(true, nil)
			f.rooms.EXPECT().Sessions(live{}, other.Room()).Return(nil, nil)
			f.Disconnect(ctx, s1, ports.Left)
		})
	})
	t.Run("without a grace time, the departure of a user who dropped is told at once too", func(t *testing.T) {
		onMocks(t, application.Config{}, func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.log.EXPECT().Head(live{}, talk).Return(at(7), nil)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(true, nil)
			f.rooms.EXPECT().Sessions(live{}, talk.Room()).Return([]domain.SessionID{s2}, nil)
			f.out.EXPECT().Broadcast([]domain.SessionID{s2}, nobody,
				domain.UserLeft{Conversation: talk, User: ann, At: time.Now()})
			assert.Equal(t, absence(ann, place(talk, 7)), f.Disconnect(ctx, s1, ports.Dropped))
		})
	})
}

func TestChat_Disconnect_ends_the_session(t *testing.T) {
	t.Run("later calls are refused, a second Disconnect and an unknown id are ignored", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(false, nil)
			f.Disconnect(ctx, s1, ports.Left)
			f.Disconnect(ctx, s1, ports.Left)
			f.Disconnect(ctx, "nobody", ports.Dropped)
			_, err := f.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
			assertCode(t, domain.CodeUnavailable, err)
			assertCode(t, domain.CodeUnavailable, f.Join(ctx, s1, ports.Join{Conversation: talk}, notAdmitted(t)))
			assertCode(t, domain.CodeUnavailable, f.Leave(ctx, s1, talk))
		})
	})
	t.Run("the session leaves its rooms although the caller's context is done", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			gone, cancel := context.WithCancel(ctx)
			cancel()
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(false, nil)
			f.Disconnect(gone, s1, ports.Left)
		})
	})
	t.Run("a store that fails in one conversation is logged, and the others have their turn", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk, other, third)
			f.rooms.EXPECT().Leave(live{}, other.Room(), s1, ann).Return(false, errStore)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(true, nil)
			f.rooms.EXPECT().Sessions(live{}, talk.Room()).Return(nil, errStore)
			f.rooms.EXPECT().Leave(live{}, third.Room(), s1, ann).Return(true, nil)
			f.rooms.EXPECT().Sessions(live{}, third.Room()).Return([]domain.SessionID{s2}, nil)
			f.out.EXPECT().Broadcast([]domain.SessionID{s2}, nobody,
				domain.UserLeft{Conversation: third, User: ann, At: time.Now()})
			f.Disconnect(ctx, s1, ports.Left)
			assert.Equal(t, 1, strings.Count(f.logged.String(), "\n"))
			assert.Contains(t, f.logged.String(), "conversations=2")
		})
	})
	t.Run("a Join on its way is waited for and undone", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			asked, answer := make(chan struct{}), make(chan struct{})
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(false, nil)
			f.log.EXPECT().Head(ctx, talk).DoAndReturn(func(context.Context, domain.ConversationID) (domain.Position, error) {
				close(asked)
				<-answer
				return domain.Position{}, nil
			})
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil)
			admitted := false
			go func() {
				assert.NoError(t, f.Join(ctx, s1, ports.Join{Conversation: talk}, func(ports.Joined) { admitted = true }))
			}()
			<-asked
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).DoAndReturn(
				func(context.Context, domain.RoomID, domain.SessionID, domain.UserID) (bool, error) {
					assert.True(t, admitted, "left before the join was done")
					return false, nil
				})
			// The bubble's time does not pass while a goroutine waits for a mutex, so the answer is released by hand.
			go func() { close(answer) }()
			f.Disconnect(ctx, s1, ports.Left)
			synctest.Wait()
		})
	})
	t.Run("the id stays taken until its last session is out of all rooms", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).DoAndReturn(
				func(context.Context, domain.RoomID, domain.SessionID, domain.UserID) (bool, error) {
					f.auth.EXPECT().Authenticate(ctx, "again").Return(domain.Identity{User: ann}, nil)
					_, err := f.Connect(ctx, s1, "again")
					assertCode(t, domain.CodeUnavailable, err)
					return false, nil
				})
			f.Disconnect(ctx, s1, ports.Left)
			f.connect(s1, ann)
		})
	})
}
