package httpapi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/domain"
	"parley/ports"
)

func TestConversations(t *testing.T) {
	three := []ports.Conversation{{ID: "a", Members: 1, Sessions: 2}, {ID: "b", Members: 3, Sessions: 3}, {ID: "c", Members: 1}}
	const a, b = `{"conversationId":"a","members":1,"sessions":2}`, `{"conversationId":"b","members":3,"sessions":3}`
	for query, test := range map[string]struct {
		after domain.ConversationID
		asked int
		found []ports.Conversation
		want  string
	}{
		"":                                {"", 101, nil, `{"conversations":[]}`},
		"?after=_":                        {"_", 101, three[:1], `{"conversations":[` + a + `]}`},
		"?limit=2":                        {"", 3, three, `{"conversations":[` + a + `,` + b + `],"next":"b"}`},
		"?limit=2&after=0":                {"0", 3, three[:2], `{"conversations":[` + a + `,` + b + `]}`},
		"?limit=1000&after=ann%40example": {"ann@example", 1001, nil, `{"conversations":[]}`},
	} {
		t.Run("the query "+query+" is answered with its page", func(t *testing.T) {
			s := backends(t)
			s.app.EXPECT().Conversations(ctx, test.after, test.asked).Return(test.found, nil)
			answer := s.get("/v1/conversations" + query)
			assert.Equal(t, 200, answer.status)
			assert.Equal(t, test.want, answer.body)
		})
	}
	for query, detail := range map[string]string{
		"after=a/b":  "after must be an id: the next of the page before",
		"after=%00":  "after must be an id: the next of the page before",
		"limit=1001": "limit must be a whole number from 1 to 1000",
		"before=a":   `the query parameter "before" is not known here`,
	} {
		t.Run("the query "+query+" is refused", func(t *testing.T) {
			assertRefused(t, backends(t).get("/v1/conversations?"+query), 400, domain.CodeInvalidPayload, detail)
		})
	}
}

func TestMembers(t *testing.T) {
	for want, users := range map[string][]domain.UserID{
		`{"members":[{"userId":"ann"},{"userId":"ben"}]}`: {"ann", "ben"},
		`{"members":[]}`: nil,
	} {
		s := backends(t)
		s.app.EXPECT().Members(ctx, room).Return(users, nil)
		assert.Equal(t, want, s.get("/v1/conversations/room-7/members").body)
	}
}

func TestUpdate(t *testing.T) {
	patch := func(s *backendSite, body string) reply {
		return s.send(exchange{method: "PATCH", target: "/v1/conversations/room-7", body: body})
	}
	t.Run("the changes are passed on as they are", func(t *testing.T) {
		for _, changes := range []string{`{"title": "Risk", "a":{"b":null}}`, `{}`} {
			s := backends(t)
			s.app.EXPECT().Update(ctx, room, []byte(changes)).Return(nil)
			assert.Equal(t, 204, patch(s, `{"changes": `+changes+` }`).status)
		}
	})
	for body, detail := range map[string]string{
		`{}`:                            "changes is missing",
		`{"changes":null}`:              "changes is missing",
		`{"changes":[]}`:                "changes must be an object",
		`{"changes":"title"}`:           "changes must be an object",
		`{"changes":7}`:                 "changes must be an object",
		`{"title":"Risk"}`:              `"title" is not known here`,
		`{"changes":{},"title":"Risk"}`: `"title" is not known here`,
	} {
		t.Run("the body "+body+" is refused", func(t *testing.T) {
			assertRefused(t, patch(backends(t), body), 400, domain.CodeInvalidPayload, detail)
		})
	}
}

func TestEvents(t *testing.T) {
	t.Run("typing is shown as of any user", func(t *testing.T) {
		for body, want := range map[string]struct {
			user     domain.UserID
			isTyping bool
		}{
			`{"event":"typing","userId":"coach","isTyping":true}`:              {"coach", true},
			`{"event":"typing","userId":"coach","isTyping":false,"data":null}`: {"coach", false},
			`{"event":"typing","isTyping":true}`:                               {"coach-backend", true},
		} {
			s := backends(t)
			s.app.EXPECT().ShowTyping(ctx, room, want.user, want.isTyping).Return(nil)
			assert.Equal(t, 204, s.post("/events", body).status)
		}
	})
	t.Run("custom events go out with their data", func(t *testing.T) {
		for body, data := range map[string][]byte{
			`{"event":"lesson_started"}`:                                nil,
			`{"event":"lesson_started","data":null,"isTyping":null}`:    nil,
			`{"event":"lesson_started","data":{"lesson": 4}}`:           []byte(`{"lesson": 4}`),
			`{"event":"lesson_started","data":[1,null]}`:                []byte(`[1,null]`),
			`{"event":"lesson_started","data":"text"}`:                  []byte(`"text"`),
			`{"event":"lesson_started","data":false}`:                   []byte(`false`),
			`{"event":"lesson_started","data":{"userId":1,"userId":2}}`: []byte(`{"userId":1,"userId":2}`),
		} {
			s := backends(t)
			s.app.EXPECT().Announce(ctx, room, domain.EventName("lesson_started"), data).Return(nil)
			assert.Equal(t, 204, s.post("/events", body).status, body)
		}
	})
	for body, detail := range map[string]string{
		`{}`:                                  "event is missing",
		`{"event":""}`:                        "event is missing",
		`{"event":null}`:                      "event is missing",
		`{"event":7}`:                         "event must be a string",
		`{"event":"a b"}`:                     "event may hold only letters, digits and ._:-@",
		`{"event":"message"}`:                 `event "message" has a meaning of its own: choose another name`,
		`{"event":"user_joined"}`:             `event "user_joined" has a meaning of its own: choose another name`,
		`{"event":"connect"}`:                 `event "connect" has a meaning of its own: choose another name`,
		`{"event":"typing"}`:                  "isTyping is missing",
		`{"event":"typing","isTyping":"yes"}`: "isTyping must be a boolean",
		`{"event":"typing","isTyping":null}`:  "isTyping is missing",
		`{"event":"typing","isTyping":true,"userId":""}`:  "userId is missing",
		`{"event":"typing","isTyping":true,"userId":"ü"}`: "userId may hold only letters, digits and ._:-@",
		`{"event":"typing","isTyping":true,"data":{}}`:    "data does not belong to typing",
		`{"event":"x","userId":"coach"}`:                  "userId and isTyping belong to typing alone: put them into data",
		`{"event":"x","isTyping":false}`:                  "userId and isTyping belong to typing alone: put them into data",
		`{"event":"x","payload":1}`:                       `"payload" is not known here`,
	} {
		t.Run("the body "+body+" is refused", func(t *testing.T) {
			assertRefused(t, backends(t).post("/events", body), 400, domain.CodeInvalidPayload, detail)
		})
	}
}
