package socketio_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/mock/gomock"

	"parley/adapters/socketio"
	"parley/domain"
	"parley/mocks"
	"parley/ports"
)

var (
	anything = gomock.Any()
	noon     = time.Date(2026, 3, 1, 13, 0, 0, 123_999_999, time.FixedZone("", 3600))
)

// admits answers Join with what the application found.
func admits(joined ports.Joined) func(context.Context, domain.SessionID, ports.Join, func(ports.Joined)) error {
	return func(_ context.Context, _ domain.SessionID, _ ports.Join, admit func(ports.Joined)) error {
		admit(joined)
		return nil
	}
}

func message(seq uint64, content string, metadata string) domain.Message {
	m := domain.Message{Seq: seq, Epoch: "e1", At: noon}
	m.Conversation, m.User, m.ID, m.Content = "room", "bob", "m1", content
	if metadata != "" {
		m.Metadata = []byte(metadata)
	}
	return m
}

// events are the client's events: what of the payload's forms reaches the application, and how its
// answer reads.
var events = []struct {
	name   string
	event  string
	expect func(chat *mocks.MockChatMockRecorder, id domain.SessionID)
	// ack is the answer's argument.
	ack string
}{
	{
		"join by id", `"join_conversation","room"`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Join(anything, id, ports.Join{Conversation: "room"}, anything).DoAndReturn(admits(ports.Joined{
				Conversation: "room", At: domain.Position{Epoch: "e1", Seq: 7}, Members: []domain.UserID{"alice", "bob"},
			}))
		},
		`{"ok":true,"conversationId":"room","epoch":"e1","seq":7,"members":[{"userId":"alice"},{"userId":"bob"}],"recovered":false,"messages":[]}`,
	},
	{
		"join by object, of an empty conversation", `"join_conversation",{"conversationId":"room","userId":"mallory"}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Join(anything, id, ports.Join{Conversation: "room"}, anything).DoAndReturn(admits(ports.Joined{
				Conversation: "room", At: domain.Position{Epoch: "e1"},
			}))
		},
		`{"ok":true,"conversationId":"room","epoch":"e1","seq":0,"members":[],"recovered":false,"messages":[]}`,
	},
	{
		"join and catch up", `"join_conversation",{"conversationId":"room","after":{"epoch":"e1","seq":5}}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			after := &domain.Position{Epoch: "e1", Seq: 5}
			chat.Join(anything, id, ports.Join{Conversation: "room", After: after}, anything).DoAndReturn(admits(ports.Joined{
				Conversation: "room", At: domain.Position{Epoch: "e1", Seq: 7}, Recovered: true,
				Messages: []domain.Message{message(6, "<hi> & \"you\"", ""), message(7, "two", `{"a": [1]}`)},
			}))
		},
		`{"ok":true,"conversationId":"room","epoch":"e1","seq":7,"members":[],"recovered":true,"messages":[` +
			`{"type":"message","conversationId":"room","userId":"bob","content":"<hi> & \"you\"","timestamp":"2026-03-01T12:00:00.123Z","messageId":"m1","seq":6},` +
			`{"type":"message","conversationId":"room","userId":"bob","content":"two","timestamp":"2026-03-01T12:00:00.123Z","messageId":"m1","seq":7,"metadata":{"a":[1]}}]}`,
	},
	{
		"join where catching up is not possible", `"join_conversation",{"conversationId":"room","after":{"epoch":"e0","seq":18446744073709551615}}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			after := &domain.Position{Epoch: "e0", Seq: 1<<64 - 1}
			chat.Join(anything, id, ports.Join{Conversation: "room", After: after}, anything).DoAndReturn(admits(ports.Joined{
				Conversation: "room", At: domain.Position{Epoch: "e1", Seq: 7}, Reason: ports.GapEpoch,
			}))
		},
		`{"ok":true,"conversationId":"room","epoch":"e1","seq":7,"members":[],"recovered":false,"reason":"epoch","messages":[]}`,
	},
	{
		"join after null is a join", `"join_conversation",{"conversationId":"room","after":null}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Join(anything, id, ports.Join{Conversation: "room"}, anything).DoAndReturn(admits(ports.Joined{Conversation: "room"}))
		},
		`{"ok":true,"conversationId":"room","epoch":"","seq":0,"members":[],"recovered":false,"messages":[]}`,
	},
	{
		"leave by id", `"leave_conversation","a.b_c:d-e@f"`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Leave(anything, id, domain.ConversationID("a.b_c:d-e@f")).Return(nil)
		},
		`{"ok":true,"conversationId":"a.b_c:d-e@f"}`,
	},
	{
		"leave by object", `"leave_conversation",{"conversationId":"room"}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Leave(anything, id, domain.ConversationID("room")).Return(nil)
		},
		`{"ok":true,"conversationId":"room"}`,
	},
	{
		"the least message", `"message",{"conversationId":"room","content":"hi"}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Send(anything, id, ports.Send{Conversation: "room", Content: "hi"}).Return(ports.Receipt{
				Message: "m9", At: domain.Position{Epoch: "e1", Seq: 3}, Accepted: noon,
			}, nil)
		},
		`{"ok":true,"messageId":"m9","seq":3,"epoch":"e1","timestamp":"2026-03-01T12:00:00.123Z","duplicate":false}`,
	},
	{
		"a message with everything, and what is the server's ignored",
		`"message",{"conversationId":"room","content":"hi","messageId":"mine","metadata":{"a": 1},"echo":false,` +
			`"userId":"mallory","timestamp":"1970","seq":99,"type":"system"}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Send(anything, id, ports.Send{
				Conversation: "room", Content: "hi", ID: "mine", Metadata: []byte(`{"a": 1}`), NoEcho: true,
			}).Return(ports.Receipt{
				Message: "mine", At: domain.Position{Epoch: "e1", Seq: 3}, Accepted: noon.Truncate(time.Second), Duplicate: true,
			}, nil)
		},
		`{"ok":true,"messageId":"mine","seq":3,"epoch":"e1","timestamp":"2026-03-01T12:00:00.000Z","duplicate":true}`,
	},
	{
		"a message whose options are null", `"message",{"conversationId":"room","content":"hi","messageId":null,"metadata":null,"echo":null}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Send(anything, id, ports.Send{Conversation: "room", Content: "hi"}).Return(ports.Receipt{Accepted: noon}, nil)
		},
		`{"ok":true,"messageId":"","seq":0,"epoch":"","timestamp":"2026-03-01T12:00:00.123Z","duplicate":false}`,
	},
	{
		"an empty message is the application's to refuse", `"message",{"conversationId":"room","echo":true}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Send(anything, id, ports.Send{Conversation: "room"}).Return(ports.Receipt{Accepted: noon}, nil)
		},
		`{"ok":true,"messageId":"","seq":0,"epoch":"","timestamp":"2026-03-01T12:00:00.123Z","duplicate":false}`,
	},
	{
		"typing", `"typing",{"conversationId":"room","isTyping":true}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Typing(anything, id, domain.ConversationID("room"), true).Return(nil)
		},
		`{"ok":true}`,
	},
	{
		"not typing any more", `"typing",{"conversationId":"room","isTyping":false},"more"`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Typing(anything, id, domain.ConversationID("room"), false).Return(nil)
		},
		`{"ok":true}`,
	},
	{
		"presence", `"presence",{"conversationId":"room"}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Presence(anything, id, domain.ConversationID("room")).Return([]domain.UserID{"alice", "bob"}, nil)
		},
		`{"ok":true,"members":[{"userId":"alice"},{"userId":"bob"}]}`,
	},
	{
		"presence by id, of nobody", `"presence","room"`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Presence(anything, id, domain.ConversationID("room")).Return(nil, nil)
		},
		`{"ok":true,"members":[]}`,
	},
	{
		"a message to be confirmed", `"message",{"conversationId":"room","content":"hi","confirm":true}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Send(anything, id, ports.Send{Conversation: "room", Content: "hi", Confirm: true}).Return(ports.Receipt{Accepted: noon}, nil)
		},
		`{"ok":true,"messageId":"","seq":0,"epoch":"","timestamp":"2026-03-01T12:00:00.123Z","duplicate":false}`,
	},
	{
		"all up to a seq received", `"message_ack",{"conversationId":"room","seq":18446744073709551615}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Acknowledge(anything, id, domain.ConversationID("room"), uint64(1<<64-1)).Return(nil)
		},
		`{"ok":true}`,
	},
	{
		"the newest page of the history", `"history",{"conversationId":"room"}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.History(anything, id, domain.ConversationID("room"), domain.Page{}).Return(domain.History{
				Epoch: "e1", Messages: []domain.Message{message(6, "x", "")}, More: true,
			}, nil)
		},
		`{"ok":true,"messages":[{"type":"message","conversationId":"room","userId":"bob","content":"x",` +
			`"timestamp":"2026-03-01T12:00:00.123Z","messageId":"m1","seq":6}],"epoch":"e1","more":true}`,
	},
	{
		"a page of the history between two places", `"history",{"conversationId":"room","before":9,"after":0,"limit":3}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			before, after := uint64(9), uint64(0)
			page := domain.Page{Before: &before, After: &after, Limit: 3}
			chat.History(anything, id, domain.ConversationID("room"), page).Return(domain.History{Epoch: "e1"}, nil)
		},
		`{"ok":true,"messages":[],"epoch":"e1","more":false}`,
	},
	{
		"a new token", `"refresh_token",{"token":"jwt"}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Refresh(anything, id, "jwt").Return(ports.Refreshed{ExpiresAt: noon}, nil)
		},
		`{"ok":true,"expiresAt":"2026-03-01T12:00:00.123Z"}`,
	},
	{
		"a new token that lets the session be in less", `"refresh_token",{"token":"jwt"}`,
		func(chat *mocks.MockChatMockRecorder, id domain.SessionID) {
			chat.Refresh(anything, id, "jwt").Return(ports.Refreshed{Left: []domain.ConversationID{"room"}}, nil)
		},
		`{"ok":true,"left":["room"]}`,
	},
}

func TestServer_JoinBringsWhatIsBeingWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.connect()
		var written []domain.ChunkAppended
		for i, delta := range []string{"The ", "answer"} {
			written = append(written, domain.ChunkAppended{Conversation: "room", Message: "m", Chunk: domain.Chunk{Index: i, Delta: delta}})
		}
		w.chat.EXPECT().Join(anything, c.id, anything, anything).DoAndReturn(admits(ports.Joined{Conversation: "room", Written: written}))
		c.send(`421["join_conversation","room"]`)
		c.expect(
			`431[{"ok":true,"conversationId":"room","epoch":"","seq":0,"members":[],"recovered":false,"messages":[]}]`,
			`42["message_chunk",{"conversationId":"room","messageId":"m","index":0,"delta":"The "}]`,
			`42["message_chunk",{"conversationId":"room","messageId":"m","index":1,"delta":"answer"}]`,
		)
		c.quiet()
	})
}

func TestServer_Confirms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.connect()
		w.hub.Broadcast([]domain.SessionID{c.id}, "", domain.MessageSent{Message: message(1, "x", ""), Delivery: 9})
		assert.Regexp(t, `^4218\["message",`, c.next())
		w.chat.EXPECT().Confirm(anything, c.id, domain.DeliveryID(9))
		c.send(`4318[]`)
		c.quiet()
	})
}

func TestServer_Events(t *testing.T) {
	for _, tc := range events {
		bubble(t, tc.name, func(t *testing.T) {
			w := serve(t, socketio.Config{})
			c := w.connect()
			tc.expect(w.chat.EXPECT(), c.id)
			c.send(`4212[` + tc.event + `]`)
			c.expect(`4312[` + tc.ack + `]`)
			tc.expect(w.chat.EXPECT(), c.id)
			c.send(`42[` + tc.event + `]`)
			c.quiet()
			assert.Empty(t, w.logs.String())
		})
	}
}

func TestServer_KeepsTheOrderOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.connect()
		room := domain.ConversationID("room")
		gomock.InOrder(
			w.chat.EXPECT().Typing(anything, c.id, room, true).Return(nil).Call,
			w.chat.EXPECT().Leave(anything, c.id, room).Return(nil).Call,
			w.chat.EXPECT().Typing(anything, c.id, room, false).Return(nil).Call,
		)
		c.send(`420["typing",{"conversationId":"room","isTyping":true}]`, `421["leave_conversation","room"]`,
			`422["typing",{"conversationId":"room","isTyping":false}]`)
		c.expect(`430[{"ok":true}]`, `431[{"ok":true,"conversationId":"room"}]`, `432[{"ok":true}]`)
	})
}
