package httpapi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/domain"
	"parley/ports"
)

const room, answerID = domain.ConversationID("room-7"), domain.MessageID("m1")

func TestStream_open(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		want   ports.Publish
		next   int
		status int
		answer string
	}{
		"a stream without a text has no chunk": {
			`{"stream":true,"userId":"coach","messageId":"m1","confirm":true}`,
			ports.Publish{User: "coach", ID: "m1", Confirm: true},
			0, 201, `{"messageId":"m1","next":0}`,
		},
		"a stream with a text has one chunk": {
			`{"stream":true,"content":"Well"}`, ports.Publish{User: "coach-backend", Content: "Well"}, 1, 201, `{"messageId":"m1","next":1}`,
		},
		"a stream that was open before answers where it stands": {
			`{"stream":true,"messageId":"m1"}`, ports.Publish{User: "coach-backend", ID: "m1"}, 5, 200, `{"messageId":"m1","next":5}`,
		},
		"a stream with more than its first chunk was open before": {
			`{"stream":true,"messageId":"m1","content":"Well"}`, ports.Publish{User: "coach-backend", ID: "m1", Content: "Well"}, 2, 200, `{"messageId":"m1","next":2}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := backends(t)
			test.want.Conversation = room
			s.app.EXPECT().OpenStream(ctx, test.want).Return(ports.Stream{Message: "m1", Next: test.next}, nil)
			answer := s.post("/messages", test.body)
			assert.Equal(t, test.status, answer.status)
			assert.Equal(t, test.answer, answer.body)
		})
	}
	t.Run("opening a stream for an accepted message is a conflict", func(t *testing.T) {
		s := backends(t)
		s.answerAll(domain.Errorf(domain.CodeConflict, "the message is complete"))
		assertRefused(t, s.post("/messages", `{"stream":true,"messageId":"m1"}`), 409, domain.CodeConflict, "the message is complete")
	})
}

func TestStream_chunks(t *testing.T) {
	accepted := ports.Receipt{Message: "m1", At: domain.Position{Epoch: "e1", Seq: 9}, Accepted: noon}
	const complete = `{"messageId":"m1","seq":9,"epoch":"e1","timestamp":"2026-03-01T12:00:00.005Z","duplicate":false}`
	missing := domain.Errorf(domain.CodeNotFound, "no such stream is open")

	t.Run("chunks are appended", func(t *testing.T) {
		for _, body := range []string{`{"index":3,"delta":" so"}`, `{"index":3,"delta":" so","final":false}`, `{"index":3,"delta":" so","final":null}`} {
			s := backends(t)
			s.app.EXPECT().AppendStream(ctx, room, answerID, domain.Chunk{Index: 3, Delta: " so"}).Return(ports.Stream{Message: "m1", Next: 4}, nil)
			answer := s.post("/messages/m1/chunks", body)
			assert.Equal(t, 200, answer.status)
			assert.Equal(t, `{"messageId":"m1","next":4}`, answer.body)
		}
	})
	t.Run("chunks without a text are left to the application to refuse", func(t *testing.T) {
		s := backends(t)
		s.app.EXPECT().AppendStream(ctx, room, answerID, domain.Chunk{Index: 0}).Return(ports.Stream{}, domain.Errorf(domain.CodeInvalidPayload, "delta is missing"))
		assertRefused(t, s.post("/messages/m1/chunks", `{"index":0}`), 400, domain.CodeInvalidPayload, "delta is missing")
	})
	t.Run("a final chunk without a text completes the message", func(t *testing.T) {
		for body, chunks := range map[string]int{
			`{"final":true}`: ports.AnyChunks, `{"delta":null,"final":true}`: ports.AnyChunks,
			`{"index":4,"final":true}`: 4, `{"index":0,"delta":"","final":true}`: 0,
		} {
			s := backends(t)
			s.app.EXPECT().CloseStream(ctx, room, answerID, chunks).Return(accepted, nil)
			answer := s.post("/messages/m1/chunks", body)
			assert.Equal(t, 201, answer.status)
			assert.Equal(t, complete, answer.body)
		}
	})
	t.Run("a final chunk with a text is appended and completes the message", func(t *testing.T) {
		s := backends(t)
		appended := s.app.EXPECT().AppendStream(ctx, room, answerID, domain.Chunk{Index: 4, Delta: "."}).Return(ports.Stream{Message: "m1", Next: 5}, nil)
		s.app.EXPECT().CloseStream(ctx, room, answerID, 5).Return(accepted, nil).After(appended.Call)
		answer := s.post("/messages/m1/chunks", `{"index":4,"delta":".","final":true}`)
		assert.Equal(t, 201, answer.status)
		assert.Equal(t, complete, answer.body)
	})
	t.Run("a repeated final chunk gets the first answer", func(t *testing.T) {
		s := backends(t)
		again := accepted
		again.Duplicate = true
		s.app.EXPECT().AppendStream(ctx, room, answerID, domain.Chunk{Index: 4, Delta: "."}).Return(ports.Stream{Message: "m1", Next: 5}, nil)
		s.app.EXPECT().CloseStream(ctx, room, answerID, 5).Return(again, nil)
		answer := s.post("/messages/m1/chunks", `{"index":4,"delta":".","final":true}`)
		assert.Equal(t, 200, answer.status)
		assert.Contains(t, answer.body, `"duplicate":true`)
	})
	t.Run("a final chunk of a stream that never began is not found", func(t *testing.T) {
		s := backends(t)
		s.app.EXPECT().AppendStream(ctx, room, answerID, domain.Chunk{Index: 4, Delta: "."}).Return(ports.Stream{}, missing)
		assertRefused(t, s.post("/messages/m1/chunks", `{"index":4,"delta":".","final":true}`), 404, domain.CodeNotFound, "no such stream is open")
	})
	t.Run("a final chunk whose text is refused does not complete the message", func(t *testing.T) {
		for code, status := range map[domain.Code]int{
			domain.CodeConflict: 409, domain.CodePayloadTooLarge: 413, domain.CodeLimitExceeded: 409, domain.CodeUnavailable: 503,
		} {
			s := backends(t)
			s.app.EXPECT().AppendStream(ctx, room, answerID, domain.Chunk{Index: 4, Delta: "."}).Return(ports.Stream{}, domain.Errorf(code, "no"))
			assertRefused(t, s.post("/messages/m1/chunks", `{"index":4,"delta":".","final":true}`), status, code, "no")
		}
	})
	t.Run("chunks of an unknown stream are not found", func(t *testing.T) {
		s := backends(t)
		s.answerAll(missing)
		assertRefused(t, s.post("/messages/m1/chunks", `{"index":0,"delta":"x"}`), 404, domain.CodeNotFound, "no such stream is open")
		assertRefused(t, s.post("/messages/m1/chunks", `{"final":true}`), 404, domain.CodeNotFound, "no such stream is open")
	})
	for body, detail := range map[string]string{
		`{}`:                            "index is missing",
		`{"delta":"x"}`:                 "index is missing",
		`{"delta":"x","final":true}`:    "index is missing",
		`{"index":null,"delta":"x"}`:    "index is missing",
		`{"index":"0","delta":"x"}`:     "index must be a whole number, 0 or more",
		`{"index":0.5,"delta":"x"}`:     "index must be a whole number, 0 or more",
		`{"index":-1,"delta":"x"}`:      "index must be a whole number, 0 or more",
		`{"index":-1,"final":true}`:     "index must be a whole number, 0 or more",
		`{"index":1e400,"delta":"x"}`:   "index must be a whole number, 0 or more",
		`{"index":9223372036854775808}`: "index must be a whole number, 0 or more",
		`{"index":0,"delta":7}`:         "delta must be a string",
		`{"index":0,"delta":["x"]}`:     "delta must be a string",
		`{"final":"true"}`:              "final must be a boolean",
		`{"index":0,"content":"x"}`:     `"content" is not known here`,
	} {
		t.Run("the body "+body+" is refused", func(t *testing.T) {
			assertRefused(t, backends(t).post("/messages/m1/chunks", body), 400, domain.CodeInvalidPayload, detail)
		})
	}
}

func TestStream_abort(t *testing.T) {
	abort := func(s *backendSite) reply {
		return s.send(exchange{method: "DELETE", target: "/v1/conversations/room-7/messages/m1"})
	}
	t.Run("an open stream is aborted", func(t *testing.T) {
		s := backends(t)
		s.app.EXPECT().AbortStream(ctx, room, answerID).Return(nil)
		assert.Equal(t, 204, abort(s).status)
	})
	t.Run("a stream that is not open is not found", func(t *testing.T) {
		s := backends(t)
		s.app.EXPECT().AbortStream(ctx, room, answerID).Return(domain.Errorf(domain.CodeNotFound, "no such stream is open"))
		assertRefused(t, abort(s), 404, domain.CodeNotFound, "no such stream is open")
	})
}
