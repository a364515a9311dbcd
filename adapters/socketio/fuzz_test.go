package socketio_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio"
	"parley/adapters/socketio/engineio"
	"parley/domain"
	"parley/ports"
)

// agreeable is an application that accepts everything, and checks that it is well-formed.
type agreeable struct{ t *testing.T }

var _ ports.Chat = agreeable{}

func (a agreeable) Authenticate(context.Context, string) (domain.Identity, error) {
	return domain.Identity{}, nil
}

func (a agreeable) Connect(context.Context, domain.SessionID, string) (domain.Identity, error) {
	return domain.Identity{}, nil
}

func (a agreeable) Disconnect(context.Context, domain.SessionID, ports.Departure) domain.Absence {
	return domain.Absence{}
}

func (a agreeable) Recover(
	context.Context, domain.SessionID, domain.Absence, string, func([]domain.Event),
) (bool, error) {
	return true, nil
}

func (a agreeable) check(c domain.ConversationID) {
	_, err := domain.ParseConversationID(string(c))
	require.NoError(a.t, err)
}

func (a agreeable) Join(_ context.Context, _ domain.SessionID, join ports.Join, admit func(ports.Joined)) error {
	a.check(join.Conversation)
	admit(ports.Joined{Conversation: join.Conversation})
	return nil
}

func (a agreeable) Leave(_ context.Context, _ domain.SessionID, c domain.ConversationID) error {
	a.check(c)
	return nil
}

func (a agreeable) Presence(_ context.Context, _ domain.SessionID, c domain.ConversationID) ([]domain.UserID, error) {
	a.check(c)
	return nil, nil
}

func (a agreeable) Send(_ context.Context, _ domain.SessionID, send ports.Send) (ports.Receipt, error) {
	a.check(send.Conversation)
	if send.ID != "" {
		_, err := domain.ParseMessageID(string(send.ID))
		require.NoError(a.t, err)
	}
	if send.Metadata != nil {
		require.True(a.t, json.Valid(send.Metadata) && send.Metadata[0] == '{', "metadata %s", send.Metadata)
	}
	return ports.Receipt{}, nil
}

func (a agreeable) Typing(_ context.Context, _ domain.SessionID, c domain.ConversationID, _ bool) error {
	a.check(c)
	return nil
}

func (a agreeable) Acknowledge(_ context.Context, _ domain.SessionID, c domain.ConversationID, _ uint64) error {
	a.check(c)
	return nil
}

func (a agreeable) Confirm(context.Context, domain.SessionID, domain.DeliveryID) {}

func (a agreeable) History(
	_ context.Context, _ domain.SessionID, c domain.ConversationID, p domain.Page,
) (domain.History, error) {
	a.check(c)
	require.GreaterOrEqual(a.t, p.Limit, 0)
	return domain.History{}, nil
}

func (a agreeable) Refresh(_ context.Context, _ domain.SessionID, token string) (ports.Refreshed, error) {
	require.NotEmpty(a.t, token)
	return ports.Refreshed{}, nil
}

// FuzzEvent sends any payload with each event, with and without asking for an ack. Valid JSON gets
// exactly one answer, and nothing else ever happens.
func FuzzEvent(f *testing.F) {
	for _, tc := range events {
		name, payload, _ := strings.Cut(tc.event, ",")
		f.Add(strings.Trim(name, `"`), payload)
	}
	for name, cases := range unreadable {
		for _, tc := range cases {
			f.Add(name, tc.payload)
		}
	}
	f.Fuzz(func(t *testing.T, name, payload string) {
		if !utf8.ValidString(payload) || !json.Valid([]byte(payload)) || reserved(name) {
			t.Skip("not an event: the packages beneath refuse it")
		}
		args, err := json.Marshal([]any{name, json.RawMessage(payload)})
		require.NoError(t, err)

		w := &world{t: t, logs: &logbook{}}
		log := slog.New(slog.NewTextHandler(w.logs, nil))
		config := socketio.Config{Engine: engineio.Config{WriteTimeout: 10 * time.Millisecond}}
		w.io = socketio.NewServer(config, agreeable{t}, socketio.NewHub(false, log), log)
		sid := strings.Split(w.poll(http.MethodGet, "", ""), `"`)[3]
		require.Equal(t, "ok", w.poll(http.MethodPost, sid, "40{\"token\":\"x\"}\x1e421"+string(args)+"\x1e42"+string(args)))
		answers := strings.Split(w.poll(http.MethodGet, sid, ""), "\x1e")
		require.Regexp(t, `^40\{"sid":`, answers[0])
		require.GreaterOrEqual(t, len(answers), 2, "no ack")
		if strings.HasPrefix(answers[1], `431[{"ok":true`) {
			require.Len(t, answers, 2)
		} else {
			require.Regexp(t, `^431\[\{"ok":false,"error":\{"code":"INVALID_PAYLOAD","message":"[^"]{1,80}"\}\}\]$`, answers[1])
			require.Len(t, answers, 3)
			require.Regexp(t, `^42\["error",\{"event":".*","code":"INVALID_PAYLOAD",`, answers[2])
		}
		w.poll(http.MethodPost, sid, "1")
		require.NoError(t, w.io.Shutdown(t.Context(), 0))
		require.Empty(t, w.logs.String())
	})
}

func reserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
