package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/httpapi"
	"parley/domain"
	"parley/ports"
)

// TestBody_refused sends every route that takes a body some that none of them takes. The application is never asked.
func TestBody_refused(t *testing.T) {
	jsonType, deep := "Content-Type: application/json", strings.Repeat(`[`, 20_000)
	const invalid, noJSON = domain.CodeInvalidPayload, "the body is not valid JSON"
	for name, test := range map[string]struct {
		body, contentType string
		status            int
		code              domain.Code
		detail            string
	}{
		"nothing":                      {``, jsonType, 400, invalid, noJSON},
		"white space":                  {` `, jsonType, 400, invalid, noJSON},
		"half an object":               {`{"a":`, jsonType, 400, invalid, noJSON},
		"two objects":                  {`{}{}`, jsonType, 400, invalid, noJSON},
		"a comma too many":             {`{"a":1,}`, jsonType, 400, invalid, noJSON},
		"a comment":                    {`{} // x`, jsonType, 400, invalid, noJSON},
		"a byte order mark":            {"\ufeff{}", jsonType, 400, invalid, noJSON},
		"a control character":          {"{\"a\":\"\x01\"}", jsonType, 400, invalid, noJSON},
		"NUL":                          {"{}\x00", jsonType, 400, invalid, noJSON},
		"arrays in arrays, very deep":  {deep, jsonType, 400, invalid, noJSON},
		"arrays, very deep and closed": {`{"metadata":{"x":` + deep + strings.Repeat(`]`, 20_000) + `}}`, jsonType, 400, invalid, noJSON},
		"objects, very deep":           {strings.Repeat(`{"content":`, 15_000) + `1` + strings.Repeat(`}`, 15_000), jsonType, 400, invalid, noJSON},
		"bytes that are no text":       {"{\"content\":\"a\xff\"}", jsonType, 400, invalid, "the body is not valid UTF-8"},
		"a name that is no text":       {"{\"\xc3\":1}", jsonType, 400, invalid, "the body is not valid UTF-8"},
		"half a surrogate pair":        {"{\"content\":\"\xed\xa0\x80\"}", jsonType, 400, invalid, "the body is not valid UTF-8"},
		"UTF-16":                       {"{\x00}\x00", jsonType, 400, invalid, noJSON},
		"null":                         {`null`, jsonType, 400, invalid, "the body must be a JSON object"},
		"an array":                     {`[{}]`, jsonType, 400, invalid, "the body must be a JSON object"},
		"a text":                       {`"content"`, jsonType, 400, invalid, "the body must be a JSON object"},
		"a number":                     {`7`, jsonType, 400, invalid, "the body must be a JSON object"},
		"a name that is not known":     {`{"contents":"x"}`, jsonType, 400, invalid, `"contents" is not known here`},
		"an empty name":                {`{"":"x"}`, jsonType, 400, invalid, `"" is not known here`},
		"a prototype":                  {`{"__proto__":{}}`, jsonType, 400, invalid, `"__proto__" is not known here`},
		"a name with a quote":          {`{"a\"\n":1}`, jsonType, 400, invalid, `"a\"\n" is not known here`},
		"a very long name":             {`{"` + strings.Repeat("x", 9000) + `":1}`, jsonType, 400, invalid, `"` + strings.Repeat("x", 64) + `…" is not known here`},
		"a long name that is cut in the middle of a letter": {
			`{"` + strings.Repeat("x", 63) + strings.Repeat("é", 9) + `":1}`, jsonType, 400, invalid, `"` + strings.Repeat("x", 63) + `…" is not known here`,
		},
		"a body that is too long": {`{"content":"` + strings.Repeat("x", maxBody) + `"}`, jsonType, 413, domain.CodePayloadTooLarge, "the body is longer than 200000 bytes"},
		"spaces that are too many": {
			strings.Repeat(" ", maxBody) + `{}`, jsonType, 413, domain.CodePayloadTooLarge, "the body is longer than 200000 bytes",
		},
		"no type":       {`{}`, "Content-Type:", 415, invalid, "the Content-Type must be application/json"},
		"plain text":    {`{}`, "Content-Type: text/plain", 415, invalid, "the Content-Type must be application/json"},
		"a form":        {`a=b`, "Content-Type: application/x-www-form-urlencoded", 415, invalid, "the Content-Type must be application/json"},
		"a merge patch": {`{}`, "Content-Type: application/merge-patch+json", 415, invalid, "the Content-Type must be application/json"},
		"a broken type": {`{}`, "Content-Type: application/json; charset", 415, invalid, "the Content-Type must be application/json"},
		"many types":    {`{}`, "Content-Type: text/plain, application/json", 415, invalid, "the Content-Type must be application/json"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			for _, o := range document().operations {
				if o.route.Operation.RequestBody == nil {
					continue
				}
				for _, unsized := range []bool{false, true} {
					s := backends(t)
					answer := s.send(exchange{method: o.method, target: o.target(), body: test.body, header: []string{test.contentType}, unsized: unsized})
					assertRefused(t, answer, test.status, test.code, test.detail)
					assert.Empty(t, s.logs.String())
				}
			}
		})
	}

	t.Run("names that differ in case, or are repeated, are refused", func(t *testing.T) {
		for _, o := range document().operations {
			if o.route.Operation.RequestBody == nil {
				continue
			}
			for name := range o.route.Operation.RequestBody.Value.Content["application/json"].Schema.Value.Properties {
				s := backends(t)
				other := strings.ToUpper(name[:1]) + name[1:]
				send := func(body string) reply { return s.send(exchange{method: o.method, target: o.target(), body: body}) }
				assertRefused(t, send(`{"`+other+`":null}`), 400, domain.CodeInvalidPayload, `"`+other+`" is not known here`)
				assertRefused(t, send(`{"`+name+`":null,"`+name+`":null}`), 400, domain.CodeInvalidPayload, name+" is there twice")
				escaped := fmt.Sprintf(`\u%04x%s`, name[0], name[1:])
				assertRefused(t, send(`{"`+name+`":null,"`+escaped+`":null}`), 400, domain.CodeInvalidPayload, name+" is there twice")
			}
		}
	})

	t.Run("bodies up to the bound are taken", func(t *testing.T) {
		content := strings.Repeat("x", maxBody-len(`{"content":""}`))
		for _, unsized := range []bool{false, true} {
			s := backends(t)
			s.app.EXPECT().Publish(ctx, ports.Publish{Conversation: "c", User: "coach-backend", Content: content}).Return(ports.Receipt{Message: "m"}, nil)
			answer := s.send(exchange{method: "POST", target: "/v1/conversations/c/messages", body: `{"content":"` + content + `"}`, unsized: unsized})
			assert.Equal(t, 201, answer.status, answer.body)
		}
	})

	t.Run("a body of one byte more is refused, and the connection ended rather than the rest read", func(t *testing.T) {
		content := strings.Repeat("x", maxBody-len(`{"content":""}`)+1)
		answer := backends(t).send(exchange{
			method: "POST", target: "/v1/conversations/c/messages", body: `{"content":"` + content + `"}`, unsized: true,
		})
		assertRefused(t, answer, 413, domain.CodePayloadTooLarge, "the body is longer than 200000 bytes")
		assert.True(t, answer.closed)
	})

	t.Run("a body that says it is too long is not read", func(t *testing.T) {
		request := httptest.NewRequest(http.MethodPost, "/v1/conversations/c/messages", unread{t})
		request.ContentLength = maxBody + 1
		request.Header.Set("Authorization", "Bearer service")
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		backends(t).api.ServeHTTP(answer, request)
		assert.Equal(t, 413, answer.Code)
	})

	t.Run("a body has 1,000,000 bytes unless another bound is set", func(t *testing.T) {
		api := httpapi.New(httpapi.Config{
			SocketIO: http.NotFoundHandler(), AllowOrigin: func(string) bool { return false }, Backend: backends(t).app, Authenticate: authenticate,
		}, nil)
		request := httptest.NewRequest(http.MethodPost, "/v1/conversations/c/messages", strings.NewReader(strings.Repeat(" ", httpapi.DefaultMaxBody+1)))
		request.Header.Set("Authorization", "Bearer service")
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, request)
		assert.Equal(t, 413, answer.Code)
		assert.Contains(t, answer.Body.String(), "longer than 1000000 bytes")
	})
}

// TestBody_slow sends bodies that do not arrive, over a connection in memory, in a bubble with its own clock.
func TestBody_slow(t *testing.T) {
	t.Run("a body that does not arrive in time is given up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client := inMemory(t, backends(t))
			sendPart(t, client, `{"content":`)
			answer, err := http.ReadResponse(bufio.NewReader(client), nil)
			require.NoError(t, err)
			defer answer.Body.Close()
			assert.Equal(t, http.StatusRequestTimeout, answer.StatusCode)
			assert.Contains(t, text(t, answer), "the body did not arrive within 30s")
		})
	})
	t.Run("a body that breaks off is refused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client := inMemory(t, backends(t))
			sendPart(t, client, `{"content":"half"}`)
			require.NoError(t, client.Close())
			synctest.Wait() // the application was not asked
		})
	})
	t.Run("a body that has arrived leaves the application all the time it needs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := backends(t)
			s.app.EXPECT().Publish(ctx, ports.Publish{Conversation: "c", User: "coach-backend", Content: strings.Repeat("x", 86)}).
				DoAndReturn(func(asked context.Context, _ ports.Publish) (ports.Receipt, error) {
					time.Sleep(time.Minute)
					return ports.Receipt{Message: "m"}, asked.Err()
				})
			client := inMemory(t, s)
			sendPart(t, client, `{"content":"`+strings.Repeat("x", 86)+`"}`)
			answer, err := http.ReadResponse(bufio.NewReader(client), nil)
			require.NoError(t, err)
			defer answer.Body.Close()
			assert.Equal(t, http.StatusCreated, answer.StatusCode)
		})
	})
}

// sendPart begins a request with a body of 100 bytes.
func sendPart(t *testing.T, client net.Conn, body string) {
	t.Helper()
	_, err := client.Write([]byte("POST /v1/conversations/c/messages HTTP/1.1\r\nHost: parley\r\nAuthorization: Bearer service\r\n" +
		"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n" + body))
	require.NoError(t, err)
}

// inMemory connects to a server of the site's API. Both are closed at the end of the test.
func inMemory(t *testing.T, s *backendSite) (client net.Conn) {
	t.Helper()
	s.server.Close()
	listener := &pipeListener{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	server := &http.Server{Handler: s.api}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	client, inside := net.Pipe()
	listener.conns <- inside
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
		<-done
	})
	return client
}

// pipeListener hands out connections in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }
