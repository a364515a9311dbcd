package domain_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

func TestParse_ids(t *testing.T) {
	parsers := map[string]func(string) (string, error){
		"userId":         func(s string) (string, error) { id, err := domain.ParseUserID(s); return string(id), err },
		"conversationId": func(s string) (string, error) { id, err := domain.ParseConversationID(s); return string(id), err },
		"messageId":      func(s string) (string, error) { id, err := domain.ParseMessageID(s); return string(id), err },
	}
	good := []string{
		"a", "Z", "0", ".", "_", ":", "-", "@", "user-1", "ann@example.com", "tenant:42.room_7", "..",
		"0190b3b4-7c4e-7d3a-9d4a-3f1f0c0f2a11", strings.Repeat("x", 128),
	}
	bad := map[string]string{
		"empty":           "",
		"too long":        strings.Repeat("x", 129),
		"space":           "a b",
		"space around":    " a",
		"slash":           "a/b",
		"star":            "team-*",
		"comma":           "a,b",
		"line break":      "a\n",
		"NUL":             "a\x00",
		"DEL":             "a\x7f",
		"letter not in A": "é",
		"fullwidth":       "ａ",
		"not UTF-8":       "a\xff",
		"next to Z":       "[",
		"next to a":       "`",
		"next to z":       "{",
		"next to 0":       "/",
		"next to :":       ";",
	}
	for field, parse := range parsers {
		for _, s := range good {
			t.Run(field+" may be "+s, func(t *testing.T) {
				id, err := parse(s)
				require.NoError(t, err)
				assert.Equal(t, s, id)
			})
		}
		for name, s := range bad {
			t.Run(field+" is refused: "+name, func(t *testing.T) {
				_, err := parse(s)
				require.Error(t, err)
				assert.Equal(t, domain.CodeInvalidPayload, domain.AsError(err).Code)
				assert.Contains(t, err.Error(), field)
			})
		}
	}
}

func FuzzParseConversationID(f *testing.F) {
	for _, s := range []string{"", "a", "a b", "tenant:42", strings.Repeat("x", 129), "\xff"} {
		f.Add(s)
	}
	pattern := regexp.MustCompile(`^[A-Za-z0-9._:@-]{1,128}$`)
	f.Fuzz(func(t *testing.T, s string) {
		_, err := domain.ParseConversationID(s)
		if wellFormed := pattern.MatchString(s); wellFormed != (err == nil) {
			t.Errorf("%q: well-formed is %v, but the error is %v", s, wellFormed, err)
		}
	})
}

func TestConversationID_Room(t *testing.T) {
	assert.Equal(t, domain.RoomID("conversation:c1"), domain.ConversationID("c1").Room())
	for _, c := range []domain.ConversationID{"c1", "conversation:c1", ":"} {
		back, ok := c.Room().Conversation()
		assert.True(t, ok)
		assert.Equal(t, c, back)
	}
	for _, r := range []domain.RoomID{"", "c1", "conversation", "Conversation:c1", "user:conversation:c1"} {
		_, ok := r.Conversation()
		assert.False(t, ok, "%q", r)
	}
}

func TestParseEventName(t *testing.T) {
	for _, s := range []string{"price_alert", "Message", "messages", "coach:thinking"} {
		name, err := domain.ParseEventName(s)
		require.NoError(t, err)
		assert.Equal(t, domain.EventName(s), name)
	}
	for _, s := range []string{
		"", "a b", strings.Repeat("x", 129),
		"message", "user_joined", "user_left", "typing", "message_delivered", "conversation_updated", "token_expiring",
		"error", "message_chunk", "join_conversation", "leave_conversation", "message_ack", "history", "presence",
		"refresh_token", "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
	} {
		name, err := domain.ParseEventName(s)
		require.Error(t, err, "%q", s)
		assert.Equal(t, domain.CodeInvalidPayload, domain.AsError(err).Code)
		assert.Empty(t, name)
	}
}
