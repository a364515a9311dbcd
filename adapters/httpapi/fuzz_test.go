package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// FuzzBackend sends any body and id to the routes that take a body: they may take only what the document says, and
// nothing may be a fault of the server.
func FuzzBackend(f *testing.F) {
	for _, body := range []string{
		`{"content":"hi","messageId":"m","metadata":{}}`, `{"stream":true}`, `{"index":0,"delta":"x","final":true}`,
		`{"changes":{"a":[1]}}`, `{"event":"typing","isTyping":true}`, `{"event":"x","data":[null]}`, `{"content":"a","content":"b"}`, `[]`, "\xff",
	} {
		f.Add("room-7", body)
	}
	f.Add("../x", `{}`)
	f.Add("%2f", `{}`)
	f.Fuzz(func(t *testing.T, id, body string) {
		s := backends(t)
		s.server.Close()
		s.answerAll(nil)
		for _, o := range document().operations {
			if o.route.Operation.RequestBody == nil {
				continue
			}
			target := strings.Replace(o.target(), "room-7", url.PathEscape(id), 1)
			request := httptest.NewRequest(o.method, target, strings.NewReader(body))
			request.Header.Set("Authorization", "Bearer service")
			request.Header.Set("Content-Type", "application/json")
			answer := httptest.NewRecorder()
			s.api.ServeHTTP(answer, request)
			document().check(t, request, body, answer.Code, answer.Header(), answer.Body.Bytes())
			assert.Less(t, answer.Code, http.StatusInternalServerError, "%s", answer.Body)
		}
	})
}
