package socketio_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio"
	"parley/domain"
	"parley/ports"
)

// handshakeStatuses is the HTTP status for each code, were it to refuse a handshake.
var handshakeStatuses = map[domain.Code]int{
	domain.CodeUnauthorized:      http.StatusUnauthorized,
	domain.CodeTokenExpired:      http.StatusUnauthorized,
	domain.CodeForbidden:         http.StatusForbidden,
	domain.CodeNotInConversation: http.StatusInternalServerError,
	domain.CodeInvalidPayload:    http.StatusInternalServerError,
	domain.CodePayloadTooLarge:   http.StatusInternalServerError,
	domain.CodeRateLimited:       http.StatusTooManyRequests,
	domain.CodeLimitExceeded:     http.StatusInternalServerError,
	domain.CodeDraining:          http.StatusServiceUnavailable,
	domain.CodeUnavailable:       http.StatusServiceUnavailable,
	domain.CodeInternal:          http.StatusInternalServerError,
	domain.CodeNotFound:          http.StatusInternalServerError,
	domain.CodeConflict:          http.StatusInternalServerError,
}

func TestEveryCode(t *testing.T) {
	require.Len(t, handshakeStatuses, len(domain.Codes()))
	for _, code := range domain.Codes() {
		refusal := fmt.Errorf("wrapped, with a secret: %w", domain.Errorf(code, "no & no"))
		body := `"code":"` + string(code) + `","message":"no & no"`
		logged := code == domain.CodeInternal || code == domain.CodeUnavailable

		bubble(t, string(code)+" in an ack and in the error event", func(t *testing.T) {
			w := serve(t, socketio.Config{})
			c := w.connect()
			room := domain.ConversationID("room")
			for range 2 {
				w.chat.EXPECT().Join(anything, c.id, anything, anything).Return(refusal)
				w.chat.EXPECT().Leave(anything, c.id, room).Return(refusal)
				w.chat.EXPECT().Send(anything, c.id, anything).Return(ports.Receipt{}, refusal)
				w.chat.EXPECT().Typing(anything, c.id, room, true).Return(refusal)
				w.chat.EXPECT().Presence(anything, c.id, room).Return(nil, refusal)
				w.chat.EXPECT().Acknowledge(anything, c.id, room, uint64(3)).Return(refusal)
				w.chat.EXPECT().History(anything, c.id, room, domain.Page{}).Return(domain.History{}, refusal)
				w.chat.EXPECT().Refresh(anything, c.id, "jwt").Return(ports.Refreshed{}, refusal)
			}
			for _, event := range []string{"join_conversation", "leave_conversation", "message", "typing", "presence", "message_ack", "history", "refresh_token"} {
				args := `["` + event + `",{"conversationId":"room","content":"x","isTyping":true,"seq":3,"token":"jwt"}]`
				c.send("425" + args)
				c.expect(`435[{"ok":false,"error":{` + body + `}}]`)
				c.send("42" + args)
				c.expect(`42["error",{"event":"` + event + `",` + body + `}]`)
			}
			assert.Equal(t, logged, w.logs.String() != "")
		})

		bubble(t, string(code)+" in connect_error", func(t *testing.T) {
			w := serve(t, socketio.Config{})
			c := w.open("", nil)
			w.chat.EXPECT().Connect(anything, anything, "bad").Return(domain.Identity{}, refusal)
			c.send(`40{"token":"bad"}`)
			c.expect(`44{"message":"no & no","data":{"code":"` + string(code) + `"}}`)
			c.quiet()
			assert.Equal(t, logged, w.logs.String() != "")
		})

		bubble(t, string(code)+" in a refused handshake", func(t *testing.T) {
			w := serve(t, socketio.Config{})
			for _, transport := range []string{"polling", "websocket"} {
				w.chat.EXPECT().Authenticate(anything, "bad").Return(domain.Identity{}, refusal)
				answer := w.handshake(transport, "", http.Header{"Authorization": {"Bearer bad"}})
				assert.Equal(t, handshakeStatuses[code], answer.Code)
				assert.Equal(t, `{"code":4,"message":"no \u0026 no"}`, answer.Body.String())
			}
			assert.Equal(t, logged, w.logs.String() != "")
		})
	}
}

func TestErrorsOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.connect()
		w.chat.EXPECT().Leave(anything, anything, anything).Return(errors.New("pq: password of admin is hunter2"))
		c.send(`421["leave_conversation","room"]`)
		c.expect(`431[{"ok":false,"error":{"code":"INTERNAL","message":"internal error"}}]`)
		assert.Contains(t, w.logs.String(), "hunter2")
	})
}

func TestRetryAfter(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		0:                       ``,
		1:                       `,"retryAfterMs":1`,
		time.Millisecond:        `,"retryAfterMs":1`,
		time.Millisecond + 1:    `,"retryAfterMs":2`,
		1500 * time.Millisecond: `,"retryAfterMs":1500`,
	} {
		bubble(t, wait.String(), func(t *testing.T) {
			refusal := &domain.Error{Code: domain.CodeRateLimited, Message: "slow down", RetryAfter: wait}
			w := serve(t, socketio.Config{})
			c := w.connect()
			w.chat.EXPECT().Typing(anything, anything, anything, anything).Return(refusal).Times(2)
			c.send(`421["typing",{"conversationId":"room","isTyping":true}]`, `42["typing",{"conversationId":"room","isTyping":true}]`)
			c.expect(`431[{"ok":false,"error":{"code":"RATE_LIMITED","message":"slow down"`+want+`}}]`,
				`42["error",{"event":"typing","code":"RATE_LIMITED","message":"slow down"`+want+`}]`)
			w.chat.EXPECT().Connect(anything, anything, "x").Return(domain.Identity{}, refusal)
			c = w.open("", nil)
			c.send(`40{"token":"x"}`)
			c.expect(`44{"message":"slow down","data":{"code":"RATE_LIMITED"` + want + `}}`)
		})
	}
}

func TestAckThatCannotBeEncoded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.connect()
		w.chat.EXPECT().Join(anything, anything, anything, anything).DoAndReturn(admits(ports.Joined{
			Messages: []domain.Message{message(1, "x", `{"broken":`)},
		}))
		c.send(`421["join_conversation","room"]`)
		c.expect(`431[{"ok":false,"error":{"code":"INTERNAL","message":"internal error"}}]`)
		assert.Contains(t, w.logs.String(), "ack not encoded")
	})
}
