package socketio_test

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/mock/gomock"

	"parley/adapters/socketio"
	"parley/domain"
	"parley/mocks"
	"parley/ports"
)

// samples are events to clients: each kind both with everything optional and with nothing optional.
var samples = []domain.Event{
	domain.MessageSent{Message: message(1, "hello", `{"mood":"good"}`)},
	domain.MessageSent{Message: message(2, "hello", "")},
	domain.UserJoined{Conversation: "room", User: "bob", At: noon},
	domain.UserLeft{Conversation: "room", User: "bob", At: noon},
	domain.TypingChanged{Conversation: "room", User: "bob", IsTyping: true, At: noon},
	domain.MessageDelivered{Conversation: "room", Message: "m1", Seq: 7, Expected: 2, Delivered: 1, Pending: []domain.UserID{"bob"}, At: noon},
	domain.MessageDelivered{Conversation: "room", Message: "m1", Seq: 7, At: noon},
	domain.ConversationUpdated{Conversation: "room", Changes: []byte(`{"title":"new"}`), At: noon},
	domain.Announced{Conversation: "room", Name: "market_opened", Data: []byte(`[1]`), At: noon},
	domain.Announced{Conversation: "room", Name: "market_opened", At: noon},
	domain.ChunkAppended{Conversation: "room", Message: "m1", Chunk: domain.Chunk{Index: 0, Delta: "he"}},
	domain.ChunkAppended{Conversation: "room", Message: "m1", Chunk: domain.Chunk{Index: 1}, Aborted: true},
	domain.TokenExpiring{ExpiresAt: noon},
	domain.SessionEnded{Reason: domain.Errorf(domain.CodeTokenExpired, "the token has expired")},
	domain.SessionEnded{Reason: &domain.Error{Code: domain.CodeRateLimited, Message: "too fast", RetryAfter: time.Second}},
}

func TestAsyncAPI_events_to_clients(t *testing.T) {
	a := loadAsyncAPI(t)
	kinds, names := map[string]bool{}, map[string]bool{}
	for _, event := range samples {
		name, payload := socketio.WireEvent(event)
		wire, err := json.Marshal(payload)
		require.NoError(t, err)
		if _, own := event.(domain.Announced); own {
			name = "announced"
		}
		kinds[reflect.TypeOf(event).Name()], names[name] = true, true
		assert.NoError(t, a.check("#/channels/toClients/messages/"+name, wire), "%s", wire)
	}
	assert.Equal(t, kindsOfEvents(t), slices.Sorted(maps.Keys(kinds)), "every kind of event is checked")
	assert.Equal(t, a.names("toClients"), slices.Sorted(maps.Keys(names)), "the document names what is sent, and nothing else")
	for name := range names {
		a.requireAllSeen("#/channels/toClients/messages/" + name)
	}
}

// kindsOfEvents are the types of package domain that are events, sorted.
func kindsOfEvents(t *testing.T) (kinds []string) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../domain/event.go", nil, 0)
	require.NoError(t, err)
	for _, declaration := range file.Decls {
		if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "event" {
			kinds = append(kinds, f.Recv.List[0].Type.(*ast.Ident).Name)
		}
	}
	slices.Sort(kinds)
	require.NotEmpty(t, kinds)
	return kinds
}

func TestAsyncAPI_names_every_event_of_clients(t *testing.T) {
	a := loadAsyncAPI(t)
	handled := socketio.NewEndpoints(mocks.NewMockChat(gomock.NewController(t)), slog.New(slog.NewTextHandler(io.Discard, nil))).Events()
	assert.Equal(t, handled, a.names("fromClients"))
	require.Equal(t, handled, slices.Sorted(maps.Keys(socketio.Requests)))
	for name, request := range socketio.Requests {
		var fields []string
		for field := range reflect.TypeOf(request).Fields() {
			fields = append(fields, field.Tag.Get("json"))
		}
		slices.Sort(fields)
		assert.Equal(t, fields, a.properties("#/channels/fromClients/messages/"+name), "the properties of %s", name)
	}
}

// allowAll answers everything as the application does, Join at first as to one who catches up.
func allowAll(chat *mocks.MockChatMockRecorder) {
	at := domain.Position{Epoch: "e1", Seq: 7}
	caughtUp := ports.Joined{
		Conversation: "room", At: at, Members: []domain.UserID{"alice"}, Recovered: true,
		Messages: []domain.Message{message(7, "hello", `{"mood":"good"}`)},
	}
	chat.Join(anything, anything, anything, anything).DoAndReturn(admits(caughtUp))
	chat.Join(anything, anything, anything, anything).DoAndReturn(admits(ports.Joined{Conversation: "room", At: at, Reason: "trimmed"})).AnyTimes()
	chat.Leave(anything, anything, anything).Return(nil).AnyTimes()
	chat.Send(anything, anything, anything).DoAndReturn(func(_ context.Context, _ domain.SessionID, s ports.Send) (ports.Receipt, error) {
		return ports.Receipt{Message: "m1", At: at, Accepted: noon}, domain.Draft{Content: s.Content}.Check(0)
	}).AnyTimes()
	chat.Typing(anything, anything, anything, anything).Return(nil).AnyTimes()
	chat.Acknowledge(anything, anything, anything, anything).Return(nil).AnyTimes()
	chat.History(anything, anything, anything, anything).
		Return(domain.History{Epoch: "e1", Messages: caughtUp.Messages, More: true}, nil).AnyTimes()
	chat.Presence(anything, anything, anything).Return(caughtUp.Members, nil).AnyTimes()
	chat.Refresh(anything, anything, anything).
		Return(ports.Refreshed{ExpiresAt: noon, Left: []domain.ConversationID{"room"}}, nil).AnyTimes()
}

func TestAsyncAPI_events_of_clients(t *testing.T) {
	a := loadAsyncAPI(t)
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, socketio.Config{})
		allowAll(w.chat.EXPECT())
		c := w.connect()
		ask := func(event string, payload []byte) []byte {
			c.send(`421["` + event + `",` + string(payload) + `]`)
			answer, ok := strings.CutPrefix(c.next(), "431[")
			require.True(t, ok, "not an ack: %s", answer)
			return []byte(strings.TrimSuffix(answer, "]"))
		}
		for _, event := range a.names("fromClients") {
			message, reply := "#/channels/fromClients/messages/"+event, a.replyTo(event)
			for _, example := range a.examples(message) {
				require.NoError(t, a.check(message, example), "the document's own example: %s", example)
				answer := ask(event, example)
				assert.NoError(t, a.check(reply, answer), "the answer to %s %s: %s", event, example, answer)
				for name, incomplete := range without(t, example) {
					answer := ask(event, incomplete)
					if a.requires(message, name) {
						assert.Contains(t, string(answer), `"INVALID_PAYLOAD"`, "the answer to %s %s", event, incomplete)
						assert.NoError(t, a.check("#/channels/acks/messages/refused", answer), "%s", answer)
					} else {
						assert.NoError(t, a.check(reply, answer), "the answer to %s %s: %s", event, incomplete, answer)
					}
				}
			}
			a.requireAllSeen(message)
			a.requireAllSeen(reply)
		}
	})
}

// without returns copies of an example that each lack one property, by the property that is missing.
func without(t *testing.T, example []byte) map[string][]byte {
	incomplete := map[string][]byte{}
	if example[0] != '{' {
		return incomplete
	}
	var object map[string]any
	require.NoError(t, json.Unmarshal(example, &object))
	for name := range object {
		rest := maps.Clone(object)
		delete(rest, name)
		encoded, err := json.Marshal(rest)
		require.NoError(t, err)
		incomplete[name] = encoded
	}
	return incomplete
}

func TestAsyncAPI_connection(t *testing.T) {
	a := loadAsyncAPI(t)
	connection := "#/channels/connection/messages/"
	refusal := &domain.Error{Code: domain.CodeRateLimited, Message: "too fast", RetryAfter: time.Second}
	for _, example := range a.examples(connection + "connect") {
		require.NoError(t, a.check(connection+"connect", example))
		synctest.Test(t, func(t *testing.T) {
			w := serve(t, socketio.Config{Recovery: time.Minute})
			w.chat.EXPECT().Connect(anything, anything, anything).Return(domain.Identity{}, refusal)
			w.chat.EXPECT().Connect(anything, anything, anything).Return(domain.Identity{User: "alice"}, nil)
			w.chat.EXPECT().Disconnect(anything, anything, anything)
			for _, want := range []string{"44", "40"} {
				c := w.open("", nil)
				c.send("40" + string(example))
				answer, ok := strings.CutPrefix(c.next(), want)
				require.True(t, ok, answer)
				name := map[string]string{"44": "connect_error", "40": "connected"}[want]
				assert.NoError(t, a.check(connection+name, []byte(answer)), "%s", answer)
			}
		})
	}
	for _, name := range a.names("connection") {
		a.requireAllSeen(connection + name)
	}
}

func TestAsyncAPI_codes(t *testing.T) {
	a := loadAsyncAPI(t)
	node, _ := a.at("#/components/schemas/code")
	want := slices.DeleteFunc(domain.Codes(), func(c domain.Code) bool {
		return c == domain.CodeNotFound || c == domain.CodeConflict // what only backends are told
	})
	var listed []domain.Code
	for _, code := range node["enum"].([]any) {
		listed = append(listed, domain.Code(code.(string)))
	}
	assert.Equal(t, want, listed)
}
