package socketio_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio"
	"parley/domain"
)

func TestServer_Token(t *testing.T) {
	bearer := func(v string) http.Header { return http.Header{"Authorization": {v}} }
	cases := []struct {
		name       string
		queryToken bool
		query      string
		header     http.Header
		connect    string
		// checked is the token that the handshake brought; "" for none.
		checked string
		// used is the token that opens the session.
		used string
	}{
		{name: "in the payload", connect: `{"token":"a"}`, used: "a"},
		{name: "in the header", header: bearer("Bearer h"), connect: ``, checked: "h", used: "h"},
		{name: "in the header, in whatever case the scheme is written", header: bearer("bEARER h"), connect: ``, checked: "h", used: "h"},
		{name: "in the payload rather than the header", header: bearer("Bearer h"), connect: `{"token":"a"}`, checked: "h", used: "a"},
		{name: "in the payload beside a header for another scheme", header: bearer("Basic dXNlcjpwYXNz"), connect: `{"token":"a"}`, used: "a"},
		{name: "in the query", queryToken: true, query: "&token=q", connect: ``, checked: "q", used: "q"},
		{name: "in the header rather than the query", queryToken: true, query: "&token=q", header: bearer("Bearer h"), checked: "h", used: "h"},
		{name: "in the query beside a header for another scheme", queryToken: true, query: "&token=q", header: bearer("Basic x"), checked: "q", used: "q"},
	}
	for _, tc := range cases {
		bubble(t, "the token is found "+tc.name, func(t *testing.T) {
			w := serve(t, socketio.Config{QueryToken: tc.queryToken})
			if tc.checked != "" {
				w.chat.EXPECT().Authenticate(anything, tc.checked).Return(domain.Identity{}, nil)
			}
			c := w.open(tc.query, tc.header)
			var id domain.SessionID
			w.chat.EXPECT().Connect(anything, anything, tc.used).DoAndReturn(
				func(_ context.Context, session domain.SessionID, _ string) (domain.Identity, error) {
					id = session
					return domain.Identity{}, nil
				})
			c.send("40" + tc.connect)
			c.connected()
			assert.Equal(t, c.id, id)
			w.chat.EXPECT().Disconnect(anything, id, anything)
		})
	}
}

func TestServer_NoToken(t *testing.T) {
	for name, tc := range map[string]struct {
		query, connect string
		header         http.Header
	}{
		"not sent":                       {},
		"not in the payload":             {connect: `{"other":1}`},
		"empty":                          {connect: `{"token":""}`},
		"null":                           {connect: `{"token":null}`},
		"in a query that is not allowed": {query: "&token=q"},
		"in a header of another kind":    {header: http.Header{"Authorization": {"Basic dXNlcjpwYXNz"}}},
	} {
		bubble(t, "a token is missing that is "+name, func(t *testing.T) {
			c := serve(t, socketio.Config{}).open(tc.query, tc.header)
			c.send("40" + tc.connect)
			c.expect(`44{"message":"a token is required","data":{"code":"UNAUTHORIZED"}}`)
			c.quiet()
		})
	}
}

func TestServer_TokenThatIsNotText(t *testing.T) {
	for _, payload := range []string{`{"token":7}`, `{"token":["a"]}`, `{"token":{"a":1}}`, `{"token":true}`} {
		synctest.Test(t, func(t *testing.T) {
			w := serve(t, socketio.Config{})
			c := w.open("", nil)
			c.send("40" + payload)
			c.expect(`44{"message":"the token must be a string","data":{"code":"UNAUTHORIZED"}}`)
			c.quiet()
		})
	}
}

func TestServer_BadTokenInTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, socketio.Config{QueryToken: true})
		w.chat.EXPECT().Authenticate(anything, "bad").Return(domain.Identity{}, domain.Errorf(domain.CodeTokenExpired, "the token has expired")).Times(4)
		w.chat.EXPECT().Authenticate(anything, "").Return(domain.Identity{}, domain.Errorf(domain.CodeUnauthorized, "no token")).Times(2)
		for _, transport := range []string{"polling", "websocket"} {
			for _, answer := range []*http.Response{
				w.handshake(transport, "", http.Header{"Authorization": {"Bearer bad"}}).Result(),
				w.handshake(transport, "&token=bad", nil).Result(),
				w.handshake(transport, "", http.Header{"Authorization": {"Bearer "}}).Result(),
			} {
				assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
				assert.Equal(t, "application/json", answer.Header.Get("Content-Type"))
				assert.Empty(t, answer.Header.Get("Upgrade"))
			}
		}
		assert.Zero(t, w.io.Len(), "nothing was opened")
	})
}

func TestServer_Connect(t *testing.T) {
	bubble(t, "a refused CONNECT may be tried again", func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.open("", nil)
		w.chat.EXPECT().Connect(anything, anything, "old").Return(domain.Identity{}, domain.Errorf(domain.CodeTokenExpired, "expired"))
		w.chat.EXPECT().Connect(anything, anything, "new").Return(domain.Identity{}, nil)
		w.chat.EXPECT().Disconnect(anything, anything, anything)
		c.send(`40{"token":"old"}`)
		c.expect(`44{"message":"expired","data":{"code":"TOKEN_EXPIRED"}}`)
		c.send(`40{"token":"new"}`)
		c.connected()
	})

	bubble(t, "a connection without CONNECT is closed, and the application is told nothing", func(t *testing.T) {
		w := serve(t, socketio.Config{ConnectTimeout: 3 * time.Second})
		c := w.open("", nil)
		<-time.After(4 * time.Second)
		synctest.Wait()
		_, open := <-c.messages
		assert.False(t, open)
		assert.Zero(t, w.io.Len())
	})

	bubble(t, "a panic of the application refuses CONNECT and reveals nothing", func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.open("", nil)
		w.chat.EXPECT().Connect(anything, anything, anything).Do(func(context.Context, domain.SessionID, string) (domain.Identity, error) {
			panic("boom")
		})
		c.send(`40{"token":"x"}`)
		c.expect(`44{"message":"internal error"}`)
		assert.Contains(t, w.logs.String(), "boom")
	})

	bubble(t, "CONNECT to another namespace is refused", func(t *testing.T) {
		c := serve(t, socketio.Config{}).connect()
		c.send(`40/admin,{"token":"good"}`)
		c.expect(`44/admin,{"message":"Invalid namespace"}`)
		c.quiet()
	})

	bubble(t, "each session gets an id of its own", func(t *testing.T) {
		w := serve(t, socketio.Config{})
		a, b := w.connect(), w.connect()
		assert.NotEqual(t, a.id, b.id)
		assert.Equal(t, 2, w.io.Len())
		w.chat.EXPECT().Leave(anything, b.id, anything).Return(nil)
		b.send(`42["leave_conversation","room"]`)
		b.quiet()
	})
}
