package engineio_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

const (
	unknownTransport = `{"code":0,"message":"Transport unknown"}`
	unknownSession   = `{"code":1,"message":"Session ID unknown"}`
	badMethod        = `{"code":2,"message":"Bad handshake method"}`
	badRequest       = `{"code":3,"message":"Bad request"}`
	forbidden        = `{"code":4,"message":"Forbidden"}`
	badVersion       = `{"code":5,"message":"Unsupported protocol version"}`
)

func TestRefusal_Handshake(t *testing.T) {
	onlyWebSocket := engineio.Config{Transports: []string{engineio.WebSocket}}
	for sentence, tc := range map[string]struct {
		config engineio.Config
		method string
		query  string
		status int
		want   string
	}{
		"a request without a query":                  {engineio.Config{}, "GET", "", 400, unknownTransport},
		"a request without a transport":              {engineio.Config{}, "GET", "EIO=4", 400, unknownTransport},
		"an unknown transport":                       {engineio.Config{}, "GET", "EIO=4&transport=carrier-pigeon", 400, unknownTransport},
		"transport constructor":                      {engineio.Config{}, "GET", "EIO=4&transport=constructor", 400, unknownTransport},
		"transport __proto__":                        {engineio.Config{}, "GET", "EIO=4&transport=__proto__", 400, unknownTransport},
		"a transport with a NUL":                     {engineio.Config{}, "GET", "EIO=4&transport=polling%00", 400, unknownTransport},
		"a transport in capitals":                    {engineio.Config{}, "GET", "EIO=4&transport=Polling", 400, unknownTransport},
		"a transport that is switched off":           {onlyWebSocket, "GET", "EIO=4&transport=polling", 400, unknownTransport},
		"a query that cannot be parsed":              {engineio.Config{}, "GET", "EIO=4&transport=%zz", 400, unknownTransport},
		"a request without EIO":                      {engineio.Config{}, "GET", "transport=polling", 400, badVersion},
		"EIO 3":                                      {engineio.Config{}, "GET", "EIO=3&transport=polling", 400, badVersion},
		"EIO 9":                                      {engineio.Config{}, "GET", "EIO=9&transport=polling", 400, badVersion},
		"EIO 04":                                     {engineio.Config{}, "GET", "EIO=04&transport=polling", 400, badVersion},
		"a POST":                                     {engineio.Config{}, "POST", "EIO=4&transport=polling", 400, badMethod},
		"a PUT":                                      {engineio.Config{}, "PUT", "EIO=4&transport=polling", 400, badMethod},
		"a WebSocket without its handshake":          {engineio.Config{}, "GET", "EIO=4&transport=websocket", 400, badRequest},
		"an unknown session":                         {engineio.Config{}, "GET", "EIO=4&transport=polling&sid=abc", 400, unknownSession},
		"an unknown session on an unknown transport": {engineio.Config{}, "GET", "EIO=4&transport=abc&sid=abc", 400, unknownTransport},
		"a POST to an unknown session":               {engineio.Config{}, "POST", "EIO=4&transport=polling&sid=abc", 400, unknownSession},
		"a PUT to an unknown session":                {engineio.Config{}, "PUT", "EIO=4&transport=polling&sid=abc", 400, unknownSession},
		"an unknown session before other ids":        {engineio.Config{}, "GET", "EIO=4&transport=polling&sid=abc&sid=def", 400, unknownSession},
	} {
		bubble(t, sentence+" is refused", func(t *testing.T) {
			k := inMemory(t, tc.config)
			got := k.begin(tc.method, "/engine.io/?"+tc.query, strings.NewReader("")).wait()
			assert.Equal(t, answerOf(tc.status, tc.want), summary(got))
			assert.Equal(t, "application/json", got.header.Get("Content-Type"))
			assert.Zero(t, k.engine.Len())
		})
	}
}

func TestRefusal_Authorize(t *testing.T) {
	for sentence, tc := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"any error is answered with Forbidden and no reason": {errors.New("secret reason"), 403, forbidden},
		"a Refusal is given as it is":                        {&engineio.Refusal{Status: 401, Code: 42, Message: "who are you?"}, 401, `{"code":42,"message":"who are you?"}`},
		"a Refusal is found in a chain":                      {errors.Join(errors.New("why"), &engineio.Refusal{Status: 429, Code: 7, Message: "later"}), 429, `{"code":7,"message":"later"}`},
	} {
		bubble(t, sentence, func(t *testing.T) {
			k := inMemory(t, engineio.Config{Authorize: func(*http.Request) (any, error) { return nil, tc.err }})
			got := k.get(polling)
			assert.Equal(t, answerOf(tc.status, tc.want), summary(got))
			assert.Equal(t, "application/json", got.header.Get("Content-Type"))
			_, got = k.tryUpgrade(webSocket)
			assert.Equal(t, answerOf(tc.status, tc.want), summary(got), "before the upgrade")
			assert.Zero(t, k.engine.Len())
		})
	}

	bubble(t, "Authorize is asked once per session, not per request", func(t *testing.T) {
		asked := 0
		k := inMemory(t, engineio.Config{Authorize: func(*http.Request) (any, error) { asked++; return nil, nil }})
		c := k.handshake()
		c.post("4x")
		c.probe().sendText("5")
		assert.Equal(t, 1, asked)
	})

	bubble(t, "the value of Authorize comes with the handshake", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Authorize: func(r *http.Request) (any, error) { return r.Header.Get("Authorization"), nil }})
		k.get(polling+"&x=y&x=z", "Authorization", "Bearer abc")
		h := k.peer(0).handshake
		assert.Equal(t, "Bearer abc", h.Value)
		assert.Equal(t, []string{"y", "z"}, h.Query["x"])
		assert.Equal(t, "Bearer abc", h.Request.Header.Get("Authorization"))
	})
}

func TestRefusal_GenerateID(t *testing.T) {
	for sentence, tc := range map[string]struct {
		id     string
		err    error
		status int
		want   string
	}{
		"any error is answered with Bad request, as by the reference server": {"x", errors.New("secret reason"), 400, badRequest},
		"a Refusal is given as it is":                                        {"x", &engineio.Refusal{Status: 503, Code: 42, Message: "full"}, 503, `{"code":42,"message":"full"}`},
		"an empty id is refused":                                             {"", nil, 400, badRequest},
	} {
		bubble(t, sentence, func(t *testing.T) {
			k := inMemory(t, engineio.Config{GenerateID: func(*http.Request) (string, error) { return tc.id, tc.err }})
			assert.Equal(t, answerOf(tc.status, tc.want), summary(k.get(polling)))
			_, got := k.tryUpgrade(webSocket)
			assert.Equal(t, answerOf(tc.status, tc.want), summary(got), "before the upgrade")
			assert.Zero(t, k.engine.Len())
		})
	}

	bubble(t, "GenerateID is given the request, once per session, after Authorize", func(t *testing.T) {
		var asked []string
		k := inMemory(t, engineio.Config{
			Authorize: func(*http.Request) (any, error) { asked = append(asked, "authorize"); return nil, nil },
			GenerateID: func(r *http.Request) (string, error) {
				asked = append(asked, "id")
				return r.URL.Query().Get("name"), nil
			},
		})
		ws := k.upgradeTo(webSocket + "&name=alice")
		assert.Contains(t, ws.read().data, `"sid":"alice"`)
		assert.Contains(t, k.get(polling+"&name=bob").body, `"sid":"bob"`)
		assert.Equal(t, []string{"authorize", "id", "authorize", "id"}, asked)
	})

	bubble(t, "an id that is given twice is refused, and the first session keeps it", func(t *testing.T) {
		k := inMemory(t, engineio.Config{GenerateID: fixedID("same")})
		c := k.handshake()
		assert.Equal(t, answerOf(http.StatusBadRequest, badRequest), summary(k.get(polling)))
		assert.Equal(t, 1, k.engine.Len())
		c.peer.send("mine")
		assert.Equal(t, "4mine", c.poll())
	})

	bubble(t, "an id that is given again once its session is over is the new one's alone", func(t *testing.T) {
		k := inMemory(t, engineio.Config{GenerateID: fixedID("same")})
		first := k.handshake()
		first.postFor("1", only(engineio.ReasonTransportClose))
		assert.Equal(t, "6", first.poll(), "the late poll")
		second := k.handshake()
		time.Sleep(10 * time.Second)
		second.peer.send("mine")
		assert.Equal(t, "4mine", second.poll())
	})
}

func TestRefusal_Session(t *testing.T) {
	for sentence, tc := range map[string]struct {
		method string
		query  string
		want   string
	}{
		"a PUT, answered as by the reference server,": {"PUT", "", answerOf(500, "")},
		"a DELETE":                                 {"DELETE", "", answerOf(500, "")},
		"a HEAD":                                   {"HEAD", "", answerOf(500, "")},
		"transport websocket without upgrade":      {"GET", "&transport=websocket", answerOf(400, badRequest)},
		"transport websocket by POST":              {"POST", "&transport=websocket", answerOf(400, badRequest)},
		"the id of a session with one letter more": {"GET", "&transport=polling&sid=", answerOf(400, unknownSession)},
	} {
		bubble(t, sentence+" leaves the session as it is", func(t *testing.T) {
			c := inMemory(t, engineio.Config{}).handshake()
			target := c.target
			switch {
			case strings.HasSuffix(tc.query, "sid="):
				target = polling + "&sid=" + c.sid + "x"
			case tc.query != "":
				target = "/engine.io/?EIO=4&sid=" + c.sid + tc.query
			}
			assert.Equal(t, tc.want, summary(c.kit.begin(tc.method, target, nil).wait()))
			c.peer.send("fine")
			assert.Equal(t, "4fine", c.poll())
			assert.Empty(t, c.peer.ended())
		})
	}

	bubble(t, "the first of several sids counts", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		c.peer.send("fine")
		assert.Equal(t, "4fine", c.kit.get(c.target+"&sid=other").body)
	})

	bubble(t, "a polling request with an Upgrade header is refused", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		_, got := c.kit.tryUpgrade(c.target)
		assert.Equal(t, answerOf(400, badRequest), summary(got))
		_, got = c.kit.tryUpgrade(polling)
		assert.Equal(t, answerOf(400, badRequest), summary(got))
	})
}

func TestRefusal_Upgrade(t *testing.T) {
	bubble(t, "the upgrade of an unknown session is refused", func(t *testing.T) {
		_, got := inMemory(t, engineio.Config{}).tryUpgrade(webSocket + "&sid=unknown")
		assert.Equal(t, answerOf(400, unknownSession), summary(got))
		assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	})

	bubble(t, "an upgrade is refused where upgrades are switched off", func(t *testing.T) {
		c := inMemory(t, engineio.Config{NoUpgrade: true}).handshake()
		_, got := c.kit.tryUpgrade(webSocket + "&sid=" + c.sid)
		assert.Equal(t, answerOf(400, badRequest), summary(got))
		c.kit.openWebSocket() // sessions may still begin on a WebSocket
	})

	bubble(t, "an upgrade with another version of WebSocket is refused", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		for _, target := range []string{webSocket, webSocket + "&sid=" + k.handshake().sid} {
			_, got := k.tryUpgrade(target, "Sec-WebSocket-Version", "8")
			assert.Equal(t, answerOf(http.StatusUpgradeRequired, "Bad request\n"), summary(got))
			assert.Equal(t, "13", got.header.Get("Sec-WebSocket-Version"))
		}
		assert.Equal(t, 1, k.engine.Len())
	})

	bubble(t, "an upgrade without a key is refused", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		got := k.get(webSocket, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13")
		assert.Equal(t, answerOf(400, "Bad request\n"), summary(got))
		assert.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
		assert.Zero(t, k.engine.Len())
	})

	bubble(t, "an upgrade with another version of Engine.IO is refused", func(t *testing.T) {
		_, got := inMemory(t, engineio.Config{}).tryUpgrade("/engine.io/?EIO=3&transport=websocket")
		assert.Equal(t, answerOf(400, badVersion), summary(got))
	})
}
