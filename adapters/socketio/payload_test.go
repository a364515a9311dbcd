package socketio_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio"
)

// unreadable are payloads, by event, that never reach the application, with the message that the client gets.
var unreadable = map[string][]struct{ payload, message string }{
	"join_conversation": {
		{``, "the payload is not what this event takes"},
		{`null`, "conversationId is missing"},
		{`{}`, "conversationId is missing"},
		{`""`, "conversationId is missing"},
		{`{"conversationId":null}`, "conversationId is missing"},
		{`7`, "the payload is not what this event takes"},
		{`true`, "the payload is not what this event takes"},
		{`[]`, "the payload is not what this event takes"},
		{`["room"]`, "the payload is not what this event takes"},
		{`{"conversationId":7}`, "conversationId must not be a number"},
		{`{"conversationId":["room"]}`, "conversationId must not be an array"},
		{`{"conversationId":{"a":1}}`, "conversationId must not be an object"},
		{`"a room"`, "conversationId may hold only letters, digits and ._:-@"},
		{`"böse"`, "conversationId may hold only letters, digits and ._:-@"},
		{`"` + strings.Repeat("x", 129) + `"`, "conversationId is longer than 128 characters"},
		{`{"conversationId":"room","after":"e1"}`, "after must not be a string"},
		{`{"conversationId":"room","after":7}`, "after must not be a number"},
		{`{"conversationId":"room","after":[]}`, "after must not be an array"},
		{`{"conversationId":"room","after":{}}`, "after must have epoch and seq"},
		{`{"conversationId":"room","after":{"epoch":"e"}}`, "after must have epoch and seq"},
		{`{"conversationId":"room","after":{"epoch":"","seq":1}}`, "after must have epoch and seq"},
		{`{"conversationId":"room","after":{"seq":1}}`, "after must have epoch and seq"},
		{`{"conversationId":"room","after":{"epoch":"e","seq":null}}`, "after must have epoch and seq"},
		{`{"conversationId":"room","after":{"epoch":7}}`, "after.epoch must not be a number"},
		{`{"conversationId":"room","after":{"epoch":"e","seq":"5"}}`, "after.seq must not be a string"},
		{`{"conversationId":"room","after":{"epoch":"e","seq":-1}}`, "after.seq must be a whole number, 0 or more"},
		{`{"conversationId":"room","after":{"epoch":"e","seq":1.5}}`, "after.seq must be a whole number, 0 or more"},
		{`{"conversationId":"room","after":{"epoch":"e","seq":18446744073709551616}}`, "after.seq must be a whole number, 0 or more"},
	},
	"leave_conversation": {
		{``, "the payload is not what this event takes"},
		{`null`, "conversationId is missing"},
		{`[]`, "the payload is not what this event takes"},
		{`{"conversationId":""}`, "conversationId is missing"},
		{`{"conversationId":false}`, "conversationId must not be a boolean"},
	},
	"message": {
		{``, "the payload is not what this event takes"},
		{`null`, "conversationId is missing"},
		{`"room"`, "the payload is not what this event takes"},
		{`[{"conversationId":"room"}]`, "the payload is not what this event takes"},
		{`{"content":"hi"}`, "conversationId is missing"},
		{`{"conversationId":"room","content":7}`, "content must not be a number"},
		{`{"conversationId":"room","content":["hi"]}`, "content must not be an array"},
		{`{"conversationId":"room","content":{"text":"hi"}}`, "content must not be an object"},
		{`{"conversationId":"room","content":"hi","messageId":7}`, "messageId must not be a number"},
		{`{"conversationId":"room","content":"hi","messageId":""}`, "messageId is missing"},
		{`{"conversationId":"room","content":"hi","messageId":"a b"}`, "messageId may hold only letters, digits and ._:-@"},
		{`{"conversationId":"room","content":"hi","metadata":"x"}`, "metadata must be an object"},
		{`{"conversationId":"room","content":"hi","metadata":[1]}`, "metadata must be an object"},
		{`{"conversationId":"room","content":"hi","metadata":7}`, "metadata must be an object"},
		{`{"conversationId":"room","content":"hi","echo":"no"}`, "echo must not be a string"},
		{`{"conversationId":"room","content":"hi","echo":0}`, "echo must not be a number"},
		{`{"conversationId":"room","content":"hi","confirm":"yes"}`, "confirm must not be a string"},
	},
	"typing": {
		{``, "the payload is not what this event takes"},
		{`null`, "conversationId is missing"},
		{`"room"`, "the payload is not what this event takes"},
		{`{"isTyping":true}`, "conversationId is missing"},
		{`{"conversationId":"room"}`, "isTyping is missing"},
		{`{"conversationId":"room","isTyping":null}`, "isTyping is missing"},
		{`{"conversationId":"room","isTyping":1}`, "isTyping must not be a number"},
		{`{"conversationId":"room","isTyping":"true"}`, "isTyping must not be a string"},
	},
	"presence": {
		{``, "the payload is not what this event takes"},
		{`{}`, "conversationId is missing"},
		{`7`, "the payload is not what this event takes"},
	},
	"message_ack": {
		{``, "the payload is not what this event takes"},
		{`"room"`, "the payload is not what this event takes"},
		{`{"seq":1}`, "conversationId is missing"},
		{`{"conversationId":"room"}`, "seq is missing"},
		{`{"conversationId":"room","seq":null}`, "seq is missing"},
		{`{"conversationId":"room","seq":-1}`, "seq must be a whole number, 0 or more"},
		{`{"conversationId":"room","seq":"1"}`, "seq must not be a string"},
	},
	"history": {
		{``, "the payload is not what this event takes"},
		{`{}`, "conversationId is missing"},
		{`{"conversationId":"room","limit":0}`, "limit must be 1 or more"},
		{`{"conversationId":"room","limit":-5}`, "limit must be 1 or more"},
		{`{"conversationId":"room","limit":1.5}`, "limit must be a whole number, 0 or more"},
		{`{"conversationId":"room","before":-1}`, "before must be a whole number, 0 or more"},
		{`{"conversationId":"room","after":{"epoch":"e","seq":1}}`, "after must not be an object"},
	},
	"refresh_token": {
		{``, "the payload is not what this event takes"},
		{`null`, "token is missing"},
		{`{"token":""}`, "token is missing"},
		{`{"token":7}`, "token must not be a number"},
		{`"jwt"`, "the payload is not what this event takes"},
	},
	"unheard_of": {{``, "unknown event"}, {`{"a":1}`, "unknown event"}},
}

func TestServer_UnreadablePayload(t *testing.T) {
	for event, cases := range unreadable {
		for _, tc := range cases {
			bubble(t, event+" "+tc.payload[:min(len(tc.payload), 60)], func(t *testing.T) {
				w := serve(t, socketio.Config{})
				c := w.connect() // nothing else is expected of the application
				args := `"` + event + `"`
				if tc.payload != "" {
					args += "," + tc.payload
				}
				refusal := `"code":"INVALID_PAYLOAD","message":` + quote(t, tc.message)
				c.send(`423[` + args + `]`)
				c.expect(`433[{"ok":false,"error":{` + refusal + `}}]`)
				c.send(`42[` + args + `]`)
				c.expect(`42["error",{"event":"` + event + `",` + refusal + `}]`)
				c.quiet()
				assert.Empty(t, w.logs.String(), "a client's mistake is not the operator's matter")
			})
		}
	}
}

func quote(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	require.NoError(t, err)
	return string(b)
}

func TestServer_SaysBackNothingLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.connect()
		c.send(`42["` + strings.Repeat("x", 5000) + `"]`)
		c.expect(`42["error",{"event":"` + strings.Repeat("x", 128) + `","code":"INVALID_PAYLOAD","message":"unknown event"}]`)
		c.send(`42["` + strings.Repeat("ü", 5000) + `"]`)
		c.expect(`42["error",{"event":"` + strings.Repeat("ü", 64) + `","code":"INVALID_PAYLOAD","message":"unknown event"}]`)
		c.send(`42["x` + strings.Repeat("ü", 5000) + `"]`)
		c.expect(`42["error",{"event":"x` + strings.Repeat("ü", 63) + `","code":"INVALID_PAYLOAD","message":"unknown event"}]`)
		c.send(`421["join_conversation",{"conversationId":"room","after":{"seq":` + strings.Repeat("9", 5000) + `}}]`)
		assert.Less(t, len(c.next()), 250)
	})
}

func TestServer_TellsWhyItClosesAConnection(t *testing.T) {
	for name, packet := range map[string]string{
		"an invalid packet":     `42{}`,
		"a reserved event name": `42["disconnect"]`,
	} {
		bubble(t, "the client is told before its connection is closed for "+name, func(t *testing.T) {
			w := serve(t, socketio.Config{})
			c := w.connect()
			c.send(packet)
			c.expect(`42["error",{"event":"","code":"INVALID_PAYLOAD","message":"not a packet of the protocol; the connection is closed"}]`)
			synctest.Wait()
			_, open := <-c.messages
			assert.False(t, open)
			assert.Empty(t, w.logs.String())
		})
	}
}
