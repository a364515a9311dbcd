package application_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/mock/gomock"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

func TestChat_Send(t *testing.T) {
	send := ports.Send{Conversation: talk, ID: "m1", Content: "hello", Metadata: []byte(`{"a":1}`)}
	draft := domain.Draft{Conversation: talk, User: ann, ID: "m1", Content: "hello", Metadata: []byte(`{"a":1}`)}
	to := []domain.SessionID{s2, s1}

	t.Run("the message is appended and sent to the room, the sender included", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			message := domain.Message{Draft: draft, Seq: 4, Epoch: "e1", At: time.Now()}
			gomock.InOrder(
				f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(to, nil).Call,
				f.log.EXPECT().Append(ctx, draft, time.Now()).Return(message, false, nil).Call,
				f.out.EXPECT().Broadcast(to, domain.SessionID(""), domain.MessageSent{Message: message}).Call,
			)
			receipt, err := f.Send(ctx, s1, send)
			require.NoError(t, err)
			assert.Equal(t, ports.Receipt{
				Message: "m1", At: domain.Position{Epoch: "e1", Seq: 4}, Accepted: message.At,
			}, receipt)
		})
	})
	t.Run("a message without echo is not sent to the session that sent it", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			message := domain.Message{Draft: draft, Seq: 4, Epoch: "e1", At: time.Now()}
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(to, nil)
			f.log.EXPECT().Append(ctx, draft, time.Now()).Return(message, false, nil)
			f.out.EXPECT().Broadcast(to, s1, domain.MessageSent{Message: message})
			quiet := send
			quiet.NoEcho = true
			_, err := f.Send(ctx, s1, quiet)
			require.NoError(t, err)
		})
	})
	t.Run("a repeat gets the first receipt and is sent to nobody", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			first := domain.Message{Draft: draft, Seq: 2, Epoch: "e1", At: time.Now().Add(-time.Minute)}
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(to, nil)
			f.log.EXPECT().Append(ctx, draft, time.Now()).Return(first, true, nil)
			receipt, err := f.Send(ctx, s1, send)
			require.NoError(t, err)
			assert.Equal(t, ports.Receipt{
				Message: "m1", At: domain.Position{Epoch: "e1", Seq: 2}, Accepted: first.At, Duplicate: true,
			}, receipt)
		})
	})
	t.Run("a message without id gets a UUID of version 7", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			var chosen domain.MessageID
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(to, nil)
			f.log.EXPECT().Append(ctx, gomock.Cond(func(d domain.Draft) bool {
				chosen = d.ID
				d.ID = "m1"
				return assert.ObjectsAreEqual(draft, d)
			}), time.Now()).DoAndReturn(func(_ context.Context, d domain.Draft, now time.Time) (domain.Message, bool, error) {
				return domain.Message{Draft: d, Seq: 1, Epoch: "e1", At: now}, false, nil
			})
			f.out.EXPECT().Broadcast(to, domain.SessionID(""), gomock.Cond(func(e domain.Event) bool {
				return e.(domain.MessageSent).Message.ID == chosen
			}))
			unnamed := send
			unnamed.ID = ""
			receipt, err := f.Send(ctx, s1, unnamed)
			require.NoError(t, err)
			assert.Equal(t, chosen, receipt.Message)
			id, err := uuid.Parse(string(chosen))
			require.NoError(t, err)
			assert.Equal(t, uuid.Version(7), id.Version())
			_, err = domain.ParseMessageID(string(chosen))
			assert.NoError(t, err)
		})
	})
}

func TestChat_Send_is_refused(t *testing.T) {
	valid := ports.Send{Conversation: talk, ID: "m1", Content: "hello"}

	t.Run("a message without a session is refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			_, err := f.Send(ctx, s1, valid)
			assertCode(t, domain.CodeUnavailable, err)
		})
	})
	t.Run("a message from outside the conversation is refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			_, err := f.Send(ctx, s1, valid)
			assertCode(t, domain.CodeNotInConversation, err)
		})
	})
	t.Run("a message without a grant is refused, whether the session is in the conversation or not", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "other")
			_, err := f.Send(ctx, s1, valid)
			assertCode(t, domain.CodeForbidden, err)
		})
	})
	t.Run("a message without a grant is refused for that, even if it is not valid", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "other")
			_, err := f.Send(ctx, s1, ports.Send{Conversation: talk})
			assertCode(t, domain.CodeForbidden, err)
		})
	})
	for name, test := range map[string]struct {
		change func(s *ports.Send)
		code   domain.Code
	}{
		"no content":         {func(s *ports.Send) { s.Content = "" }, domain.CodeInvalidPayload},
		"content too long":   {func(s *ports.Send) { s.Content = strings.Repeat("x", maxContent+1) }, domain.CodePayloadTooLarge},
		"content not UTF-8":  {func(s *ports.Send) { s.Content = "\xff" }, domain.CodeInvalidPayload},
		"metadata too large": {func(s *ports.Send) { s.Metadata = make([]byte, domain.MaxMetadata+1) }, domain.CodePayloadTooLarge},
	} {
		t.Run("a message with "+name+" is refused, and nothing is appended", func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.enter(s1, ann, talk)
				bad := valid
				test.change(&bad)
				_, err := f.Send(ctx, s1, bad)
				assertCode(t, test.code, err)
			})
		})
	}
	t.Run("a message whose recipients cannot be read is not accepted", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(nil, errStore)
			_, err := f.Send(ctx, s1, valid)
			assertCode(t, domain.CodeUnavailable, err)
		})
	})
	t.Run("a message that the log refuses is sent to nobody", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return([]domain.SessionID{s1}, nil)
			f.log.EXPECT().Append(ctx, domain.Draft{Conversation: talk, User: ann, ID: "m1", Content: "hello"}, time.Now()).
				Return(domain.Message{}, false, errStore)
			receipt, err := f.Send(ctx, s1, valid)
			assertCode(t, domain.CodeUnavailable, err)
			assert.Zero(t, receipt)
		})
	})
	t.Run("a long message is accepted if the length is not bounded", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, application.Config{})
			w.enter(s1, ann, talk)
			_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: strings.Repeat("x", 1<<20)})
			assert.NoError(t, err)
		})
	})
}
