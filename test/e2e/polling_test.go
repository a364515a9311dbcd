package e2e_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// polling is an Engine.IO session over HTTP requests made by hand.
type polling struct {
	server *server
	// path is that of the session's requests, with its id in the query.
	path string
}

const pollingPath = "/socket.io/?EIO=4&transport=polling"

// openPolling opens a session and does not CONNECT. It says goodbye when the test is over.
func (s *server) openPolling(t *testing.T) *polling {
	t.Helper()
	status, body := get(t, s.app.URL()+pollingPath)
	require.Equal(t, http.StatusOK, status)
	var handshake struct {
		SID string `json:"sid"`
	}
	require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(body, "0")), &handshake))
	p := &polling{server: s, path: pollingPath + "&sid=" + url.QueryEscape(handshake.SID)}
	t.Cleanup(func() { p.post(t, "1") })
	return p
}

// connectPolling opens a session that speaks for the user and has joined the conversations.
func (s *server) connectPolling(t *testing.T, user string, conversations ...string) *polling {
	t.Helper()
	p := s.openPolling(t)
	p.accepted(t, `40{"token":"`+tokenFor(t, user)+`"}`)
	require.Contains(t, p.poll(t), `40{"sid":"`)
	for _, conversation := range conversations {
		p.accepted(t, `420["join_conversation","`+conversation+`"]`)
		require.Contains(t, p.poll(t), `430[{"ok":true`)
	}
	return p
}

func (p *polling) post(t *testing.T, body string) (status int, answer string) {
	t.Helper()
	return request(t, http.MethodPost, p.server.app.URL()+p.path, body, nil)
}

func (p *polling) accepted(t *testing.T, body string) {
	t.Helper()
	status, answer := p.post(t, body)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "ok", answer)
}

func (p *polling) poll(t *testing.T) string {
	t.Helper()
	status, body := get(t, p.server.app.URL()+p.path)
	require.Equal(t, http.StatusOK, status)
	return body
}

// over asserts that the server does not know the session any more.
func (p *polling) over(t *testing.T) {
	t.Helper()
	status, body := get(t, p.server.app.URL()+p.path)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.JSONEq(t, `{"code":1,"message":"Session ID unknown"}`, body)
}

func TestPolling_Requests(t *testing.T) {
	t.Parallel()
	s := boot(t, nil)
	for name, c := range map[string]struct {
		method, path string
		status       int
		body         string
	}{
		"no transport":                    {"GET", "/socket.io/?EIO=4", 400, `{"code":0,"message":"Transport unknown"}`},
		"an unknown transport":            {"GET", "/socket.io/?EIO=4&transport=pigeon", 400, `{"code":0,"message":"Transport unknown"}`},
		"a transport named constructor":   {"GET", "/socket.io/?EIO=4&transport=constructor", 400, `{"code":0,"message":"Transport unknown"}`},
		"a transport named __proto__":     {"GET", "/socket.io/?EIO=4&transport=__proto__", 400, `{"code":0,"message":"Transport unknown"}`},
		"a transport with a NUL":          {"GET", "/socket.io/?EIO=4&transport=polling%00", 400, `{"code":0,"message":"Transport unknown"}`},
		"an unknown session":              {"GET", pollingPath + "&sid=unknown", 400, `{"code":1,"message":"Session ID unknown"}`},
		"a session named __proto__":       {"GET", pollingPath + "&sid=__proto__", 400, `{"code":1,"message":"Session ID unknown"}`},
		"two sessions":                    {"GET", pollingPath + "&sid=a&sid=b", 400, `{"code":1,"message":"Session ID unknown"}`},
		"a handshake by POST":             {"POST", pollingPath, 400, `{"code":2,"message":"Bad handshake method"}`},
		"a handshake by DELETE":           {"DELETE", pollingPath, 400, `{"code":2,"message":"Bad handshake method"}`},
		"a WebSocket without an upgrade":  {"GET", "/socket.io/?EIO=4&transport=websocket", 400, `{"code":3,"message":"Bad request"}`},
		"no protocol version":             {"GET", "/socket.io/?transport=polling", 400, `{"code":5,"message":"Unsupported protocol version"}`},
		"the version before":              {"GET", "/socket.io/?EIO=3&transport=polling", 400, `{"code":5,"message":"Unsupported protocol version"}`},
		"a version that does not exist":   {"GET", "/socket.io/?EIO=9&transport=polling", 400, `{"code":5,"message":"Unsupported protocol version"}`},
		"a version that is not a number":  {"GET", "/socket.io/?EIO=four&transport=polling", 400, `{"code":5,"message":"Unsupported protocol version"}`},
		"the path without its last slash": {"GET", "/socket.io?EIO=4&transport=polling", 404, `{"title":"Not Found","status":404}`},
		"a path that does not exist":      {"GET", "/nowhere", 404, `{"title":"Not Found","status":404}`},
		"the token route of dev mode":     {"POST", "/dev/token", 404, `{"title":"Not Found","status":404}`},
		"the page of dev mode":            {"GET", "/", 404, `{"title":"Not Found","status":404}`},
		"metrics, which are the admin's":  {"GET", "/metrics", 404, `{"title":"Not Found","status":404}`},
		"profiles, which are the admin's": {"GET", "/debug/pprof/", 404, `{"title":"Not Found","status":404}`},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			status, body := request(t, c.method, s.app.URL()+c.path, "", nil)
			assert.Equal(t, c.status, status)
			assert.JSONEq(t, c.body, body)
		})
	}
	assert.Zero(t, s.connections(t))
}

func TestPolling_Bodies(t *testing.T) {
	t.Parallel()
	s := boot(t, map[string]string{"MAX_PAYLOAD": "1000"})
	undisturbed := s.witness(t)

	t.Run("a body as long as the limit is taken", func(t *testing.T) {
		p := s.connectPolling(t, "alice")
		p.accepted(t, `42["unknown","`+strings.Repeat("x", 1000-len(`42["unknown",""]`))+`"]`)
		assert.Contains(t, p.poll(t), `"code":"INVALID_PAYLOAD"`)
		undisturbed(t)
	})
	t.Run("a body over the limit is refused, and its session goes on", func(t *testing.T) {
		p := s.connectPolling(t, "alice")
		for _, size := range []int{1001, 100_000} {
			status, _ := p.post(t, "4"+strings.Repeat("x", size-1))
			assert.Equal(t, http.StatusRequestEntityTooLarge, status)
		}
		p.accepted(t, "3")
		undisturbed(t)
	})
	t.Run("a body of unknown length over the limit is refused", func(t *testing.T) {
		p := s.connectPolling(t, "alice")
		body := io.MultiReader(strings.NewReader("4"), strings.NewReader(strings.Repeat("x", 5_000)))
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.app.URL()+p.path, body)
		require.NoError(t, err)
		response, err := client.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
		undisturbed(t)
	})
	s.waitForConnections(t, 1, patience)
}

func TestPolling_Violations(t *testing.T) {
	t.Parallel()
	s := boot(t, nil)
	undisturbed := s.witness(t)

	t.Run("a binary body ends its session", func(t *testing.T) {
		p := s.connectPolling(t, "alice")
		header := http.Header{"Content-Type": {"application/octet-stream"}}
		status, _ := request(t, http.MethodPost, s.app.URL()+p.path, "\x00\x01\xff4", header)
		assert.Equal(t, http.StatusBadRequest, status)
		p.over(t)
		undisturbed(t)
	})
	for name, body := range map[string]string{
		"an empty body":                    "",
		"an empty packet among others":     "3\x1e\x1e3",
		"text that is not UTF-8":           "42[\"\xff\"]",
		"base64 that is none":              "b!",
		"an unknown packet":                "9",
		"a flood of pings":                 strings.Repeat("2\x1e", 300) + "2",
		"a protocol violation among chats": "3\x1e42{}\x1e3",
	} {
		t.Run(name+" ends its session", func(t *testing.T) {
			p := s.connectPolling(t, "alice")
			p.post(t, body)
			// A session that the server ends is kept until its client has been told.
			status, answer := get(t, s.app.URL()+p.path)
			if strings.HasPrefix(answer, `42["error",{"event":"","code":"INVALID_PAYLOAD"`) {
				status, answer = get(t, s.app.URL()+p.path)
			}
			if status == http.StatusOK {
				assert.Equal(t, "1", answer)
			}
			p.over(t)
			undisturbed(t)
		})
	}
	t.Run("a second poll beside the first ends the session, and both are told", func(t *testing.T) {
		p := s.connectPolling(t, "alice")
		type answer struct {
			status int
			body   string
			err    error
		}
		answers := make(chan answer, 2)
		for range 2 {
			go func() {
				status, body, err := tryRequest(http.MethodGet, s.app.URL()+p.path, "", nil)
				answers <- answer{status, body, err}
			}()
		}
		got := []answer{<-answers, <-answers}
		assert.ElementsMatch(t, []answer{{200, "1", nil}, {400, `{"code":3,"message":"Bad request"}`, nil}}, got)
		p.over(t)
		undisturbed(t)
	})
	t.Run("a client that is reset in the middle of a poll is gone", func(t *testing.T) {
		p := s.connectPolling(t, "alice", "lobby")
		address, err := url.Parse(s.app.URL())
		require.NoError(t, err)
		conn, err := net.Dial("tcp", address.Host)
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET "+p.path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
		require.NoError(t, conn.Close())
		s.waitForConnections(t, 1, lingering)
		p.over(t)
		undisturbed(t)
	})
}
