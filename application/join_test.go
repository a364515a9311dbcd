package application_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/mock/gomock"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

func TestChat_Join(t *testing.T) {
	head := domain.Position{Epoch: "e1", Seq: 7}

	t.Run("the joiner is told where the log stands and the others who came, before Join returns", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			admitted := 0
			gomock.InOrder(
				f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(true, nil).Call,
				f.log.EXPECT().Head(ctx, talk).Return(head, nil).Call,
				f.rooms.EXPECT().Members(ctx, talk.Room()).Return([]domain.UserID{ann, bob}, nil).Call,
				f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return([]domain.SessionID{s2, s1}, nil).Call,
				f.out.EXPECT().Broadcast([]domain.SessionID{s2, s1}, s1,
					domain.UserJoined{Conversation: talk, User: ann, At: time.Now()}).Do(
					func([]domain.SessionID, domain.SessionID, domain.Event) { assert.Zero(t, admitted) }).Call,
			)
			err := f.Join(ctx, s1, ports.Join{Conversation: talk}, func(j ports.Joined) {
				admitted++
				assert.Equal(t, ports.Joined{Conversation: talk, At: head, Members: []domain.UserID{ann, bob}}, j)
			})
			require.NoError(t, err)
			assert.Equal(t, 1, admitted)
		})
	})
	t.Run("a user who was present already, or in its grace time, comes silently", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(false, nil)
			f.log.EXPECT().Head(ctx, talk).Return(head, nil)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return([]domain.UserID{ann}, nil)
			admitted := 0
			require.NoError(t, f.Join(ctx, s1, ports.Join{Conversation: talk}, func(ports.Joined) { admitted++ }))
			assert.Equal(t, 1, admitted)
		})
	})
	t.Run("a second join of the same session is answered, too", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(false, nil)
			f.log.EXPECT().Head(ctx, talk).Return(head, nil)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return([]domain.UserID{ann}, nil)
			admitted := 0
			require.NoError(t, f.Join(ctx, s1, ports.Join{Conversation: talk}, func(ports.Joined) { admitted++ }))
			assert.Equal(t, 1, admitted)
		})
	})
	t.Run("the answer to a join with a position says what was missed", func(t *testing.T) {
		missed := []domain.Message{{Draft: domain.Draft{ID: "m6"}, Seq: 6}, {Draft: domain.Draft{ID: "m7"}, Seq: 7}}
		for name, test := range map[string]struct {
			messages  []domain.Message
			gap       string
			recovered bool
		}{
			"messages that were missed are replayed":              {messages: missed, recovered: true},
			"a session that has missed nothing gets nothing":      {recovered: true},
			"a position of another epoch is not recovered":        {gap: ports.GapEpoch},
			"a position before trimmed messages is not recovered": {gap: ports.GapTrimmed},
		} {
			t.Run(name, func(t *testing.T) {
				onMocks(t, config(), func(t *testing.T, f *fixture) {
					f.connect(s1, ann, "talk")
					after := domain.Position{Epoch: "e1", Seq: 5}
					f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(false, nil)
					f.log.EXPECT().Head(ctx, talk).Return(head, nil)
					f.log.EXPECT().After(ctx, talk, after).Return(test.messages, test.gap, nil)
					f.rooms.EXPECT().Members(ctx, talk.Room()).Return([]domain.UserID{ann}, nil)
					var joined ports.Joined
					err := f.Join(ctx, s1, ports.Join{Conversation: talk, After: &after}, func(j ports.Joined) { joined = j })
					require.NoError(t, err)
					assert.Equal(t, ports.Joined{
						Conversation: talk, At: head, Members: []domain.UserID{ann},
						Recovered: test.recovered, Reason: test.gap, Messages: test.messages,
					}, joined)
				})
			})
		}
	})
}

func TestChat_Join_is_refused(t *testing.T) {
	t.Run("a join without a session is refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			assertCode(t, domain.CodeUnavailable, f.Join(ctx, s1, ports.Join{Conversation: talk}, notAdmitted(t)))
		})
	})
	t.Run("a join without a grant is refused, and no store is asked", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "other", "talks", "tal", "talk-*")
			assertCode(t, domain.CodeForbidden, f.Join(ctx, s1, ports.Join{Conversation: talk}, notAdmitted(t)))
		})
	})
	t.Run("a join into one conversation too many is refused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.connect(s1, ann)
			for i := range domain.MaxConversations {
				w.join(s1, domain.ConversationID(fmt.Sprint("c", i)))
			}
			assertCode(t, domain.CodeLimitExceeded, w.Join(ctx, s1, ports.Join{Conversation: talk}, notAdmitted(t)))
			assert.Empty(t, w.members(talk))
			w.join(s1, "c7")
			require.NoError(t, w.Leave(ctx, s1, "c7"))
			w.join(s1, talk)
		})
	})
}

// TestChat_Join_undone lets each call after the first fail: nothing of the join may be left.
func TestChat_Join_undone(t *testing.T) {
	steps := map[string]func(f *fixture, arrived bool) bool{
		"Head": func(f *fixture, arrived bool) bool {
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(arrived, nil)
			f.log.EXPECT().Head(ctx, talk).Return(domain.Position{}, errStore)
			return arrived
		},
		"After": func(f *fixture, arrived bool) bool {
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(arrived, nil)
			f.log.EXPECT().Head(ctx, talk).Return(domain.Position{}, nil)
			f.log.EXPECT().After(ctx, talk, domain.Position{Seq: 1}).Return(nil, "", errStore)
			return arrived
		},
		"Members": func(f *fixture, arrived bool) bool {
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(arrived, nil)
			f.log.EXPECT().Head(ctx, talk).Return(domain.Position{}, nil)
			f.log.EXPECT().After(ctx, talk, domain.Position{Seq: 1}).Return(nil, "", nil)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, errStore)
			return arrived
		},
		// A store that fails in Join may have done it; nobody knows whether the user arrived.
		"Join": func(f *fixture, arrived bool) bool {
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(arrived, errStore)
			return false
		},
	}
	join := ports.Join{Conversation: talk, After: &domain.Position{Seq: 1}}
	for name, fail := range steps {
		t.Run("when "+name+" fails, who arrived goes without a word", func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.connect(s1, ann, "talk")
				if fail(f, true) {
					f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(true, nil)
				} else {
					f.rooms.EXPECT().Drop(live{}, talk.Room(), s1, ann, time.Now().Add(grace)).Return(false, nil)
				}
				assertCode(t, domain.CodeUnavailable, f.Join(ctx, s1, join, notAdmitted(t)))
				assertCode(t, domain.CodeNotInConversation, f.Typing(ctx, s1, talk, true))
			})
		})
		t.Run("when "+name+" fails, who was lingering lingers again, and is then told to have left", func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.connect(s1, ann, "talk")
				fail(f, false)
				until := time.Now().Add(grace)
				f.rooms.EXPECT().Drop(live{}, talk.Room(), s1, ann, until).Return(true, nil)
				assertCode(t, domain.CodeUnavailable, f.Join(ctx, s1, join, notAdmitted(t)))
				assertCode(t, domain.CodeNotInConversation, f.Typing(ctx, s1, talk, true))

				f.rooms.EXPECT().Expire(live{}, talk.Room(), ann, until).Return(true, nil)
				f.rooms.EXPECT().Sessions(live{}, talk.Room()).Return([]domain.SessionID{s2}, nil)
				f.out.EXPECT().Broadcast([]domain.SessionID{s2}, domain.SessionID(""),
					domain.UserLeft{Conversation: talk, User: ann, At: until})
				f.pass(grace)
			})
		})
		t.Run("when "+name+" fails, a session that was in before stays in", func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.enter(s1, ann, talk)
				fail(f, false)
				assertCode(t, domain.CodeUnavailable, f.Join(ctx, s1, join, notAdmitted(t)))
				f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil)
				_, err := f.Presence(ctx, s1, talk)
				assert.NoError(t, err)
			})
		})
	}
	t.Run("when Sessions fails, who arrived goes without a word", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(true, nil)
			f.log.EXPECT().Head(ctx, talk).Return(domain.Position{}, nil)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil)
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(nil, errStore)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(true, nil)
			assertCode(t, domain.CodeUnavailable, f.Join(ctx, s1, ports.Join{Conversation: talk}, notAdmitted(t)))
		})
	})
	t.Run("a failed join is undone although the caller has gone", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			gone, cancel := context.WithCancel(ctx)
			cancel()
			f.rooms.EXPECT().Join(gone, talk.Room(), s1, ann).Return(true, nil)
			f.log.EXPECT().Head(gone, talk).Return(domain.Position{}, context.Canceled)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(true, nil)
			assert.ErrorIs(t, f.Join(gone, s1, ports.Join{Conversation: talk}, notAdmitted(t)), context.Canceled)
		})
	})
	t.Run("if undoing a failed join fails too, that is logged and the first error returned", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(true, nil)
			f.log.EXPECT().Head(ctx, talk).Return(domain.Position{}, context.DeadlineExceeded)
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).Return(false, errStore)
			assert.ErrorIs(t, f.Join(ctx, s1, ports.Join{Conversation: talk}, notAdmitted(t)), context.DeadlineExceeded)
			assert.Contains(t, f.logged.String(), "a failed join was not undone")
		})
	})
}

func TestChat_Join_access(t *testing.T) {
	t.Run("everyone with a valid token may join under AccessAuthenticated", func(t *testing.T) {
		onMocks(t, application.Config{Access: domain.AccessAuthenticated}, func(t *testing.T, f *fixture) {
			f.connect(s1, ann)
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(false, nil)
			f.log.EXPECT().Head(ctx, talk).Return(domain.Position{}, nil)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil)
			assert.NoError(t, f.Join(ctx, s1, ports.Join{Conversation: talk}, func(ports.Joined) {}))
		})
	})
	t.Run("nobody may join without a grant if no access is configured", func(t *testing.T) {
		onMocks(t, application.Config{}, func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "other")
			assertCode(t, domain.CodeForbidden, f.Join(ctx, s1, ports.Join{Conversation: talk}, notAdmitted(t)))
		})
	})
}
