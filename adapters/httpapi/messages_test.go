package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/domain"
	"parley/ports"
)

func TestPublish(t *testing.T) {
	accepted := ports.Receipt{Message: "m1", At: domain.Position{Epoch: "e1", Seq: 9}, Accepted: noon}
	const answered = `{"messageId":"m1","seq":9,"epoch":"e1","timestamp":"2026-03-01T12:00:00.005Z","duplicate":false}`

	for name, test := range map[string]struct {
		body string
		want ports.Publish
	}{
		"the service is the sender unless the body names a user": {`{"content":"hi"}`, ports.Publish{User: "coach-backend", Content: "hi"}},
		"every member is passed on": {
			`{"content":"hi","messageId":"m1","userId":"coach","metadata":{"a": [1, {}]},"confirm":true,"stream":false}`,
			ports.Publish{User: "coach", Content: "hi", ID: "m1", Metadata: []byte(`{"a": [1, {}]}`), Confirm: true},
		},
		"null counts as absent": {
			`{"content":"hi","messageId":null,"userId":null,"metadata":null,"confirm":null,"stream":null}`,
			ports.Publish{User: "coach-backend", Content: "hi"},
		},
		"missing content is left to the application": {`{}`, ports.Publish{User: "coach-backend"}},
		"escaped characters are decoded":             {`{"content":"\u00e9\n\ud83d\ude00<"}`, ports.Publish{User: "coach-backend", Content: "é\n😀<"}},
		"the members of metadata are not checked": {
			`{"content":"hi","metadata":{"userId":7,"userId":8,"x":9}}`,
			ports.Publish{User: "coach-backend", Content: "hi", Metadata: []byte(`{"userId":7,"userId":8,"x":9}`)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := backends(t)
			test.want.Conversation = "room-7"
			s.app.EXPECT().Publish(ctx, test.want).Return(accepted, nil)
			answer := s.post("/messages", test.body)
			assert.Equal(t, http.StatusCreated, answer.status)
			assert.Equal(t, answered, answer.body)
		})
	}

	t.Run("a repeat is told by its status", func(t *testing.T) {
		s := backends(t)
		again := accepted
		again.Duplicate = true
		s.app.EXPECT().Publish(ctx, ports.Publish{Conversation: "room-7", User: "coach-backend", Content: "hi", ID: "m1"}).Return(again, nil)
		answer := s.post("/messages", `{"content":"hi","messageId":"m1"}`)
		assert.Equal(t, http.StatusOK, answer.status)
		assert.Equal(t, strings.Replace(answered, "false", "true", 1), answer.body)
	})

	t.Run("the refusal of the application is answered", func(t *testing.T) {
		for code, status := range map[domain.Code]int{
			domain.CodeInvalidPayload: 400, domain.CodePayloadTooLarge: 413, domain.CodeLimitExceeded: 409,
		} {
			s := backends(t)
			s.answerAll(domain.Errorf(code, "too much"))
			assertRefused(t, s.post("/messages", `{"content":"hi"}`), status, code, "too much")
		}
	})

	for body, detail := range map[string]string{
		`{"content":7}`:                              "content must be a string",
		`{"content":["hi"]}`:                         "content must be a string",
		`{"content":{"text":"hi"}}`:                  "content must be a string",
		`{"content":"hi","messageId":7}`:             "messageId must be a string",
		`{"content":"hi","messageId":""}`:            "messageId is missing",
		`{"content":"hi","messageId":"../x"}`:        "messageId may hold only letters, digits and ._:-@",
		`{"content":"hi","userId":""}`:               "userId is missing",
		`{"content":"hi","userId":"a b"}`:            "userId may hold only letters, digits and ._:-@",
		`{"content":"hi","userId":["coach"]}`:        "userId must be a string",
		`{"content":"hi","metadata":"x"}`:            "metadata must be an object",
		`{"content":"hi","metadata":[{}]}`:           "metadata must be an object",
		`{"content":"hi","metadata":7}`:              "metadata must be an object",
		`{"content":"hi","confirm":"true"}`:          "confirm must be a boolean",
		`{"content":"hi","confirm":1}`:               "confirm must be a boolean",
		`{"stream":"yes"}`:                           "stream must be a boolean",
		`{"content":"hi","echo":false}`:              `"echo" is not known here`,
		`{"content":"hi","conversationId":"room-7"}`: `"conversationId" is not known here`,
		`{"content":"hi","timestamp":"2026-01-01"}`:  `"timestamp" is not known here`,
		`{"content":"` + strings.Repeat("x", 10) + `"` + `,"messageId":"` + strings.Repeat("x", 129) + `"}`: "messageId is longer than 128 characters",
	} {
		t.Run("the body "+body+" is refused", func(t *testing.T) {
			assertRefused(t, backends(t).post("/messages", body), 400, domain.CodeInvalidPayload, detail)
		})
	}
}

func TestMessages(t *testing.T) {
	seq := func(n uint64) *uint64 { return &n }
	for query, want := range map[string]domain.Page{
		"":                             {Limit: 100},
		"?before=7":                    {Before: seq(7), Limit: 100},
		"?after=0&limit=1":             {After: seq(0), Limit: 1},
		"?before=9223372036854775807":  {Before: seq(1<<63 - 1), Limit: 100},
		"?before=9&after=3&limit=1000": {Before: seq(9), After: seq(3), Limit: 1000},
		"?%61fter=%33":                 {After: seq(3), Limit: 100},
	} {
		t.Run("the query "+query+" asks the application for its page", func(t *testing.T) {
			s := backends(t)
			want.MaxBytes = 4 << 20
			s.app.EXPECT().Messages(ctx, domain.ConversationID("room-7"), want).Return(domain.History{}, nil)
			answer := s.get("/v1/conversations/room-7/messages" + query)
			assert.Equal(t, 200, answer.status)
			assert.Equal(t, `{"messages":[],"epoch":"","more":false}`, answer.body)
		})
	}

	t.Run("messages have the form in which clients get them", func(t *testing.T) {
		s := backends(t)
		draft := domain.Draft{Conversation: "room-7", User: "ann", ID: "m1", Content: "a <b> \u2028 😀"}
		second := draft
		second.ID, second.Metadata = "m2", []byte(`{"b": [1]}`)
		s.app.EXPECT().Messages(ctx, domain.ConversationID("room-7"), domain.Page{Limit: 2, MaxBytes: 4 << 20}).Return(domain.History{
			Epoch: "e1", More: true,
			Messages: []domain.Message{{Draft: draft, Seq: 4, Epoch: "e1", At: noon}, {Draft: second, Seq: 5, Epoch: "e1", At: noon}},
		}, nil)
		answer := s.get("/v1/conversations/room-7/messages?limit=2")
		assert.JSONEq(t, `{"messages":[
			{"type":"message","conversationId":"room-7","userId":"ann","content":"a <b> \u2028 😀","timestamp":"2026-03-01T12:00:00.005Z","messageId":"m1","seq":4},
			{"type":"message","conversationId":"room-7","userId":"ann","content":"a <b> \u2028 😀","timestamp":"2026-03-01T12:00:00.005Z","messageId":"m2","seq":5,"metadata":{"b":[1]}}
		],"epoch":"e1","more":true}`, answer.body)
		assert.Equal(t, "application/json", answer.header.Get("Content-Type"))
		assert.True(t, json.Valid([]byte(answer.body)))
	})

	for query, detail := range map[string]string{
		"limit=0":                     "limit must be a whole number from 1 to 1000",
		"limit=1001":                  "limit must be a whole number from 1 to 1000",
		"limit=-1":                    "limit must be a whole number from 1 to 1000",
		"limit=1.5":                   "limit must be a whole number from 1 to 1000",
		"limit=0x10":                  "limit must be a whole number from 1 to 1000",
		"limit=1_0":                   "limit must be a whole number from 1 to 1000",
		"limit=%2B1":                  "limit must be a whole number from 1 to 1000",
		"limit=ten":                   "limit must be a whole number from 1 to 1000",
		"limit=99999999999999999999":  "limit must be a whole number from 1 to 1000",
		"before=-1":                   "before must be a whole number, 0 or more",
		"before=18446744073709551616": "before must be a whole number, 0 or more",
		"after=e1:7":                  "after must be a whole number, 0 or more",
		"after=1e3":                   "after must be a whole number, 0 or more",
	} {
		t.Run("the query "+query+" is refused", func(t *testing.T) {
			assertRefused(t, backends(t).get("/v1/conversations/room-7/messages?"+query), 400, domain.CodeInvalidPayload, detail)
		})
	}
}
