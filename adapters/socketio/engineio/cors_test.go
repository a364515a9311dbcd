package engineio_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

const home = "https://app.example.test"

func allowHome() engineio.Config {
	return engineio.Config{MaxPayload: 100, AllowOrigin: func(origin string) bool { return origin == home }}
}

// cors returns what an answer tells a browser about origins.
func cors(h http.Header) map[string][]string {
	told := map[string][]string{"Vary": h.Values("Vary")}
	for name, values := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			told[name] = values
		}
	}
	return told
}

var (
	noCORS   = map[string][]string{"Vary": {"Origin"}}
	homeCORS = map[string][]string{
		"Vary": {"Origin"}, "Access-Control-Allow-Origin": {home}, "Access-Control-Allow-Credentials": {"true"},
	}
)

func TestCORS(t *testing.T) {
	bubble(t, "every kind of answer carries the headers for an allowed origin", func(t *testing.T) {
		k := inMemory(t, allowHome())
		c, origin := k.handshake(), []string{"Origin", home}
		send := func(method, target, body string) answer {
			return k.begin(method, target, strings.NewReader(body), origin...).wait()
		}
		c.peer.send("x")
		answers := map[string]answer{
			"200 handshake":   send("GET", polling, ""),
			"200 poll":        send("GET", c.target, ""),
			"200 post":        send("POST", c.target, "4x"),
			"413 too large":   send("POST", c.target, strings.Repeat("x", 101)),
			"500 method":      send("PUT", c.target, ""),
			"400 transport":   send("GET", "/engine.io/?EIO=4", ""),
			"400 version":     send("GET", "/engine.io/?EIO=2&transport=polling", ""),
			"400 session":     send("GET", polling+"&sid=x", ""),
			"400 no key":      k.get(webSocket, "Origin", home, "Upgrade", "websocket"),
			"400 octetstream": k.begin("POST", c.target, strings.NewReader("4x"), "Origin", home, "Content-Type", "application/octet-stream").wait(),
		}
		for name, got := range answers {
			assert.Equal(t, name[:3], answerOf(got.status, "")[:3])
			assert.Equal(t, homeCORS, cors(got.header), name)
		}
		_, got := k.tryUpgrade(webSocket, origin...)
		assert.Equal(t, http.StatusSwitchingProtocols, got.status)
		assert.Equal(t, homeCORS, cors(got.header), "101")
	})

	bubble(t, "a refusal by the application carries the headers for an allowed origin", func(t *testing.T) {
		config := allowHome()
		config.Authorize = func(*http.Request) (any, error) { return nil, io.EOF }
		k := inMemory(t, config)
		got := k.get(polling, "Origin", home)
		assert.Equal(t, http.StatusForbidden, got.status)
		assert.Equal(t, homeCORS, cors(got.header))
	})

	bubble(t, "a request without an origin is served, without CORS headers", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		got := k.get(polling)
		assert.Equal(t, http.StatusOK, got.status)
		assert.Equal(t, noCORS, cors(got.header))
		_, got = k.tryUpgrade(webSocket)
		assert.Equal(t, http.StatusSwitchingProtocols, got.status)
		assert.Equal(t, noCORS, cors(got.header))
	})

	for sentence, origins := range map[string][]string{
		"a foreign origin":                         {"https://evil.test"},
		"an origin that looks like an allowed one": {home + ".evil.test"},
		"an allowed origin in another scheme":      {"http://app.example.test"},
		"the origin null":                          {"null"},
		"an empty origin":                          {""},
		"a list of origins":                        {home + ", https://evil.test"},
		"a request with two origins":               {home, "https://evil.test"},
		"an origin with strange bytes":             {home + "\xff\x80"},
	} {
		bubble(t, sentence+" is refused on every transport, without CORS headers", func(t *testing.T) {
			k := inMemory(t, allowHome())
			c := k.handshake()
			var fields []string
			for _, o := range origins {
				fields = append(fields, "Origin", o)
			}
			for _, method := range []string{"GET", "POST", "OPTIONS"} {
				for _, target := range []string{polling, c.target} {
					got := k.begin(method, target, strings.NewReader(""), fields...).wait()
					assert.Equal(t, answerOf(http.StatusForbidden, forbidden), summary(got))
					assert.Equal(t, noCORS, cors(got.header))
				}
			}
			for _, target := range []string{webSocket, webSocket + "&sid=" + c.sid} {
				_, got := k.tryUpgrade(target, fields...)
				assert.Equal(t, answerOf(http.StatusForbidden, forbidden), summary(got))
				assert.Equal(t, noCORS, cors(got.header))
			}
			assert.Equal(t, 1, k.engine.Len())
			assert.Empty(t, c.peer.ended())
		})
	}

	for _, origin := range []string{"http://example.test", "https://example.test", "https://EXAMPLE.test"} {
		bubble(t, "without AllowOrigin the server's own pages are let in: "+origin, func(t *testing.T) {
			k := inMemory(t, engineio.Config{})
			c := k.handshake()
			got := k.begin("POST", c.target, strings.NewReader("4x"), "Origin", origin).wait()
			assert.Equal(t, answerOf(http.StatusOK, "ok"), summary(got))
			assert.Equal(t, noCORS, cors(got.header))
			_, got = k.tryUpgrade(webSocket, "Origin", origin)
			assert.Equal(t, http.StatusSwitchingProtocols, got.status)
			assert.Equal(t, noCORS, cors(got.header))
		})
	}

	for _, origin := range []string{
		home, "null", "", "example.test", "://example.test", "http://example.test:8080", "http://example.test.evil.test", "http://example.test/",
		"http://", "ftp://example.test", "chrome-extension://example.test", "http://http://example.test",
	} {
		bubble(t, "without AllowOrigin all other pages are refused: "+origin, func(t *testing.T) {
			k := inMemory(t, engineio.Config{})
			got := k.get(polling, "Origin", origin)
			assert.Equal(t, answerOf(http.StatusForbidden, forbidden), summary(got))
			_, got = k.tryUpgrade(webSocket, "Origin", origin)
			assert.Equal(t, answerOf(http.StatusForbidden, forbidden), summary(got))
		})
	}

	t.Run("without AllowOrigin and without a host all pages are refused", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		for _, origin := range []string{"http://", "null", ""} {
			r := httptest.NewRequest(http.MethodGet, polling, nil)
			r.Host = ""
			r.Header.Set("Origin", origin)
			w := httptest.NewRecorder()
			k.engine.ServeHTTP(w, r)
			assert.Equal(t, http.StatusForbidden, w.Code)
		}
	})
}

func TestCORS_Preflight(t *testing.T) {
	allowed := func(more ...string) map[string][]string {
		told := map[string][]string{"Access-Control-Allow-Methods": {"GET,HEAD,PUT,PATCH,POST,DELETE"}}
		for name, values := range homeCORS {
			told[name] = values
		}
		if len(more) > 0 {
			told["Vary"] = []string{"Origin", "Access-Control-Request-Headers"}
			told["Access-Control-Allow-Headers"] = more
		}
		return told
	}
	bubble(t, "an allowed origin may use every method", func(t *testing.T) {
		k := inMemory(t, allowHome())
		for _, target := range []string{polling, "/engine.io/"} {
			got := k.begin("OPTIONS", target, nil, "Origin", home, "Access-Control-Request-Method", "POST").wait()
			assert.Equal(t, answerOf(http.StatusNoContent, ""), summary(got))
			assert.Equal(t, allowed(), cors(got.header))
		}
	})

	bubble(t, "an allowed origin may send the headers that it asks for", func(t *testing.T) {
		k := inMemory(t, allowHome())
		got := k.begin("OPTIONS", polling, nil, "Origin", home, "Access-Control-Request-Headers", "authorization, x-trace").wait()
		assert.Equal(t, http.StatusNoContent, got.status)
		assert.Equal(t, allowed("authorization, x-trace"), cors(got.header))
	})
}
