package legacy_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/legacy"
	"parley/ports"
)

func TestHandshake(t *testing.T) {
	bubble(t, "a handshake by polling tells the session's id and times, and then that the client is in", func(t *testing.T) {
		k := newKit(t)
		a := k.do(http.MethodGet, polling, "", auth...)
		c, more := k.handshake(a)
		assert.Len(t, c.sid, 24)
		assert.JSONEq(t, `{"sid":"`+c.sid+`","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":60000}`, decode(t, a.body)[0][1:])
		assert.Equal(t, "text/plain; charset=UTF-8", a.header.Get("Content-Type"))
		assert.Equal(t, "no-store", a.header.Get("Cache-Control"))
		assert.Equal(t, []string{"40"}, more)
		assert.Equal(t, 1, k.server.Len())
		assert.NotEqual(t, c.sid, string(k.newest()), "the engine's id is a secret")
	})

	bubble(t, "a handshake on a WebSocket offers no upgrades", func(t *testing.T) {
		k := newKit(t)
		c, err := k.dial(webSocket, auth...)
		require.NoError(t, err)
		open := c.read()
		assert.JSONEq(t, `{"sid":"`+opened(k, open)+`","upgrades":[],"pingInterval":25000,"pingTimeout":60000}`, open[1:])
		assert.Equal(t, "40", c.read())
	})

	bubble(t, "every session gets ids of its own", func(t *testing.T) {
		k := newKit(t)
		seen := map[string]bool{}
		for range 20 {
			c := k.newPolling()
			seen[c.sid], seen[string(c.id)] = true, true
		}
		assert.Len(t, seen, 40)
	})

	tests := map[string]struct {
		method, target string
		status         int
		body           string
		headers        []string
	}{
		"without a transport":                 {"GET", "/socket.io/?EIO=3", 400, `{"code":0,"message":"Transport unknown"}`, nil},
		"with an unknown transport":           {"GET", "/socket.io/?EIO=3&transport=flashsocket", 400, `{"code":0,"message":"Transport unknown"}`, nil},
		"with an unknown session":             {"GET", polling + "&sid=x", 400, `{"code":1,"message":"Session ID unknown"}`, nil},
		"by POST":                             {"POST", polling, 400, `{"code":2,"message":"Bad handshake method"}`, nil},
		"by JSONP":                            {"GET", polling + "&j=0", 400, `{"code":3,"message":"Bad request"}`, nil},
		"for a WebSocket without an upgrade":  {"GET", webSocket, 400, `{"code":3,"message":"Bad request"}`, nil},
		"for polling with an upgrade":         {"GET", polling, 400, `{"code":3,"message":"Bad request"}`, []string{"Upgrade", "websocket"}},
		"from another origin":                 {"GET", polling, 403, `{"code":4,"message":"Forbidden"}`, []string{"Origin", "https://evil.example.test"}},
		"with a bad token in the header":      {"GET", polling, 401, `{"code":4,"message":"the token is not valid"}`, []string{"Authorization", "Bearer x"}},
		"with a bad token, whatever the case": {"GET", polling, 401, `{"code":4,"message":"the token is not valid"}`, []string{"Authorization", "bearer  x"}},
		"with an expired token in the header": {
			"GET", polling, 401, `{"code":4,"message":"the token has expired"}`, []string{"Authorization", "Bearer " + expiredToken},
		},
	}
	for name, test := range tests {
		bubble(t, "a handshake "+name+" is refused, and nothing is opened", func(t *testing.T) {
			k := newKit(t)
			a := k.do(test.method, test.target, "", test.headers...)
			assert.Equal(t, test.status, a.status)
			assert.JSONEq(t, test.body, a.body)
			synctest.Wait()
			assert.Zero(t, k.server.Len())
		})
	}

	bubble(t, "an improper WebSocket handshake leaves nothing behind", func(t *testing.T) {
		k := newKit(t)
		a := k.do(http.MethodGet, webSocket, "", append(auth, "Upgrade", "websocket", "Connection", "Upgrade")...)
		assert.Equal(t, http.StatusBadRequest, a.status)
		synctest.Wait()
		assert.Zero(t, k.server.Len())
	})

	bubble(t, "a handshake on a WebSocket is refused from another origin and with a bad token", func(t *testing.T) {
		k := newKit(t)
		_, err := k.dial(webSocket, append(auth, "Origin", "https://evil.example.test")...)
		require.EqualError(t, err, "403 Forbidden")
		_, err = k.dial(webSocket, "Authorization", "Bearer x")
		require.EqualError(t, err, "401 Unauthorized")
		_, err = k.dial(webSocket, append(auth, "Origin", home)...)
		require.NoError(t, err)
	})
}

func TestHandshake_origins(t *testing.T) {
	bubble(t, "an allowed page gets the headers for credentials, and an answer to its preflight", func(t *testing.T) {
		k := newKit(t)
		a := k.do(http.MethodGet, polling, "", append(auth, "Origin", home)...)
		assert.Equal(t, home, a.header.Get("Access-Control-Allow-Origin"))
		assert.Equal(t, "true", a.header.Get("Access-Control-Allow-Credentials"))
		a = k.do(http.MethodOptions, polling, "", "Origin", home, "Access-Control-Request-Headers", "authorization")
		assert.Equal(t, http.StatusNoContent, a.status)
		assert.Equal(t, "authorization", a.header.Get("Access-Control-Allow-Headers"))
	})
}

func TestSignIn(t *testing.T) {
	allow := func(c *legacy.Config) { c.QueryToken = true }

	bubble(t, "a token in the query is taken if that is allowed", func(t *testing.T) {
		k := newKit(t, allow)
		_, more := k.handshake(k.do(http.MethodGet, polling+"&token="+goodToken, ""))
		assert.Equal(t, []string{"40"}, more)
	})

	refusals := map[string]struct {
		query   string
		changes []func(*legacy.Config)
		want    []string
	}{
		"no token":                                          {"", nil, []string{`44{"code":"UNAUTHORIZED","message":"the token is not valid"}`, "41"}},
		"a token in a query that is not allowed":            {"&token=" + goodToken, nil, []string{`44{"code":"UNAUTHORIZED","message":"the token is not valid"}`, "41"}},
		"an expired token in an allowed query":              {"&token=" + expiredToken, []func(*legacy.Config){allow}, []string{`44{"code":"TOKEN_EXPIRED","message":"the token has expired"}`, "41"}},
		"a good token while the application is unavailable": {"&token=" + unavailableToken, []func(*legacy.Config){allow}, []string{`44{"code":"UNAVAILABLE","message":"not now"}`, "1"}},
	}
	for name, test := range refusals {
		bubble(t, "a client with "+name+" is told what is wrong by polling", func(t *testing.T) {
			k := newKit(t, test.changes...)
			c, more := k.handshake(k.do(http.MethodGet, polling+test.query, ""))
			assert.Equal(t, test.want, more)
			synctest.Wait()
			k.logs.take()
			if last := test.want[1]; last == "41" {
				c.post("1")
				synctest.Wait()
			}
			assert.Zero(t, k.server.Len())
			assert.Empty(t, k.chat.departures())
		})

		bubble(t, "a client with "+name+" is told what is wrong on a WebSocket", func(t *testing.T) {
			k := newKit(t, test.changes...)
			c, err := k.dial(webSocket + test.query)
			require.NoError(t, err)
			opened(k, c.read())
			for _, packet := range test.want {
				if packet != "1" { // a WebSocket is just closed
					assert.Equal(t, packet, c.read())
				}
			}
			c.hangsUp()
			synctest.Wait()
			k.logs.take()
			assert.Zero(t, k.server.Len())
		})
	}

	bubble(t, "a refused client that stays is closed, and what it sends meanwhile is ignored", func(t *testing.T) {
		k := newKit(t)
		c, more := k.handshake(k.do(http.MethodGet, polling, ""))
		assert.Len(t, more, 2)
		assert.Equal(t, http.StatusOK, c.post(send("let me in"), "2").status)
		time.Sleep(5*time.Second - time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, 1, k.server.Len())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Zero(t, k.server.Len())
		assert.Empty(t, k.chat.contents())
	})
}

func TestEnd(t *testing.T) {
	polled := map[string]struct {
		end  func(c *pollingClient)
		want ports.Departure
	}{
		"says goodbye":            {func(c *pollingClient) { c.post("41", "1") }, ports.Left},
		"says goodbye and stays":  {func(c *pollingClient) { c.post("41") }, ports.Left},
		"closes its transport":    {func(c *pollingClient) { c.post("1") }, ports.Dropped},
		"aborts a poll":           {func(c *pollingClient) { _, abort := c.polls(); abort() }, ports.Dropped},
		"polls twice at once":     {func(c *pollingClient) { c.polls(); c.polls() }, ports.Dropped},
		"does not ping":           {func(*pollingClient) { time.Sleep(pingInterval + pingTimeout) }, ports.Dropped},
		"sends no proper payload": {func(c *pollingClient) { c.do("POST", c.target, "3:x") }, ports.Dropped},
	}
	for name, test := range polled {
		bubble(t, "the session of a polling client that "+name+" ends", func(t *testing.T) {
			k := newKit(t)
			test.end(k.newPolling())
			synctest.Wait()
			assert.Zero(t, k.server.Len())
			assert.Equal(t, []ports.Departure{test.want}, k.chat.departures())
		})
	}

	socketed := map[string]struct {
		end  func(c *socketClient)
		want ports.Departure
	}{
		"says goodbye":                   {func(c *socketClient) { c.write("41") }, ports.Left},
		"closes its transport":           {func(c *socketClient) { c.write("1") }, ports.Dropped},
		"hangs up":                       {func(c *socketClient) { _ = c.ws.Close() }, ports.Dropped},
		"does not ping":                  {func(*socketClient) { time.Sleep(pingInterval + pingTimeout) }, ports.Dropped},
		"says too much at once":          {func(c *socketClient) { _ = c.ws.WriteMessage(1, []byte(send(strings.Repeat("x", 100_000)))) }, ports.Dropped},
		"sends text not UTF-8":           {func(c *socketClient) { c.write("42[\"\xff\"]") }, ports.Dropped},
		"sends a stray attachment":       {func(c *socketClient) { _ = c.ws.WriteMessage(2, []byte{4, 1}) }, ports.Dropped},
		"claims attachments without end": {func(c *socketClient) { c.write(`4599999999999999999-["x"]`) }, ports.Dropped},
		"sends no packet":                {func(c *socketClient) { c.write("4x") }, ports.Dropped},
		"sends an empty message":         {func(c *socketClient) { c.write("4") }, ports.Dropped},
		"sends an event without a name":  {func(c *socketClient) { c.write("42[]") }, ports.Dropped},
		"sends an event that is no list": {func(c *socketClient) { c.write(`42{"a":1}`) }, ports.Dropped},
		"sends an error":                 {func(c *socketClient) { c.write(`44"x"`) }, ports.Dropped},
		"sends an event elsewhere":       {func(c *socketClient) { c.write(`42/admin,["x"]`) }, ports.Dropped},
	}
	for name, test := range socketed {
		bubble(t, "the session of a WebSocket client that "+name+" ends", func(t *testing.T) {
			k := newKit(t)
			c := k.newSocket()
			test.end(c)
			synctest.Wait()
			assert.Zero(t, k.server.Len())
			assert.Equal(t, []ports.Departure{test.want}, k.chat.departures())
		})
	}

	bubble(t, "a client that violates the protocol between two polls is told by the next, if that comes soon", func(t *testing.T) {
		k := newKit(t)
		soon, never := k.newPolling(), k.newPolling()
		soon.post("4x")
		never.post("4x")
		synctest.Wait()
		assert.Equal(t, []ports.Departure{ports.Dropped, ports.Dropped}, k.chat.departures())
		assert.Equal(t, []string{"1"}, soon.poll())
		synctest.Wait()
		assert.Equal(t, 1, k.server.Len())
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Zero(t, k.server.Len())
	})

	bubble(t, "a client that pings stays, and its pong has the ping's data", func(t *testing.T) {
		k := newKit(t)
		c, ws := k.newPolling(), k.newSocket()
		for range 5 {
			time.Sleep(pingInterval + pingTimeout - time.Nanosecond)
			c.post("2")
			assert.Equal(t, []string{"3"}, c.poll())
			ws.write("2hello")
			assert.Equal(t, "3hello", ws.read())
		}
		assert.Equal(t, 2, k.server.Len())
	})
}
