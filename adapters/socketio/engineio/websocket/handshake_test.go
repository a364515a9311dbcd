package websocket_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio/websocket"
)

// The key and its answer from RFC 6455 §1.3.
const (
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// opening returns a request that may be upgraded.
func opening() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/socket.io/?EIO=4&transport=websocket", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", sampleKey)
	return r
}

// untouched records whether Upgrade takes over the connection.
type untouched struct {
	*httptest.ResponseRecorder
	hijacked bool
}

func (u *untouched) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	u.hijacked = true
	return nil, nil, errors.New("not expected")
}

func TestUpgrade_Refuses(t *testing.T) {
	set := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	filler := strings.Repeat(" ,\t", 20_000)
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"method POST", func(r *http.Request) { r.Method = http.MethodPost }, 400},
		{"protocol HTTP/1.0", func(r *http.Request) { r.ProtoMinor = 0 }, 400},
		{"protocol HTTP/2", func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 2, 0 }, 400},
		{"a body", func(r *http.Request) { r.ContentLength = 4 }, 400},
		{"a chunked body", func(r *http.Request) { r.ContentLength = -1 }, 400},
		{"no Connection field", set("Connection"), 400},
		{"Connection: keep-alive", set("Connection", "keep-alive"), 400},
		{"a Connection token that only contains upgrade", set("Connection", "upgraded, no-upgrade"), 400},
		{"no Upgrade field", set("Upgrade"), 400},
		{"an empty Upgrade field", set("Upgrade", ""), 400},
		{"Upgrade: h2c", set("Upgrade", "h2c"), 400},
		{"a letter in Upgrade that folds to ASCII", set("Upgrade", "websoc\u212Aet"), 400},
		{"60 KB of separators in Connection", set("Connection", filler), 400},
		{"2,000 Connection fields", set("Connection", strings.Split(strings.Repeat("close ", 2000), " ")...), 400},
		{"60 KB of separators in Upgrade", set("Upgrade", filler), 400},
		{"no version", set("Sec-Websocket-Version"), 426},
		{"version 8", set("Sec-Websocket-Version", "8"), 426},
		{"version 130", set("Sec-Websocket-Version", "130"), 426},
		{"two versions", set("Sec-Websocket-Version", "13", "8"), 426},
		{"no key", set("Sec-Websocket-Key"), 400},
		{"an empty key", set("Sec-Websocket-Key", ""), 400},
		{"two keys", set("Sec-Websocket-Key", sampleKey, sampleKey), 400},
		{"a key of 15 bytes", set("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAA"), 400},
		{"a key of 17 bytes", set("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAAA="), 400},
		{"a key of 18 bytes", set("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAAAA"), 400},
		{"a key that is not base64", set("Sec-Websocket-Key", "!!!!!!!!!!!!!!!!!!!!!!=="), 400},
		{"a key with line breaks", set("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAA\r\n"), 400},
		{"a key of 60 KB", set("Sec-Websocket-Key", filler), 400},
	} {
		t.Run(fmt.Sprintf("a request with %s is refused with %d", c.name, c.status), func(t *testing.T) {
			r := opening()
			c.change(r)
			w := &untouched{ResponseRecorder: httptest.NewRecorder()}
			conn, early, err := websocket.Upgrade(w, r, nil)
			var refusal *websocket.HandshakeError
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, c.status, refusal.Status)
			assert.NotEmpty(t, refusal.Reason)
			assert.Nil(t, conn)
			assert.Nil(t, early)
			assert.False(t, w.hijacked)
			assert.Empty(t, w.Body.String())
			assert.Empty(t, w.Header())
			if c.status == http.StatusUpgradeRequired {
				assert.Equal(t, "13", refusal.Header.Get("Sec-WebSocket-Version"))
				assert.Equal(t, "websocket", refusal.Header.Get("Upgrade"))
			}
		})
	}

	t.Run("a writer that cannot be hijacked is refused with 500", func(t *testing.T) {
		_, _, err := websocket.Upgrade(httptest.NewRecorder(), opening(), nil)
		var refusal *websocket.HandshakeError
		require.ErrorAs(t, err, &refusal)
		assert.Equal(t, http.StatusInternalServerError, refusal.Status)
		assert.ErrorIs(t, err, http.ErrNotSupported)
	})
}

// wrapped hides Hijack behind Unwrap, as Echo's response and most middleware do.
type wrapped struct{ inner http.ResponseWriter }

func (w wrapped) Header() http.Header         { return w.inner.Header() }
func (w wrapped) Write(p []byte) (int, error) { return w.inner.Write(p) }
func (w wrapped) WriteHeader(status int)      { w.inner.WriteHeader(status) }
func (w wrapped) Unwrap() http.ResponseWriter { return w.inner }

// exchange sends raw to a server that upgrades with header, and returns the response and the early bytes that Upgrade
// returned.
func exchange(t *testing.T, raw string, header http.Header) (*http.Response, string) {
	t.Helper()
	early := make(chan []byte, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, sent, err := websocket.Upgrade(wrapped{w}, r, header)
		early <- sent
		if assert.NoError(t, err) {
			assert.NoError(t, conn.Close())
		}
	}))
	server.Config.ReadTimeout = time.Minute
	server.Config.WriteTimeout = time.Minute
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, raw)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp, string(<-early)
}

func TestUpgrade_Accepts(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, UPGRADE\r\nUpgrade: h2c, WebSocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + sampleKey + "\r\n" +
		"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"

	t.Run("the response is that of RFC 6455 §1.3, without extension or subprotocol", func(t *testing.T) {
		resp, early := exchange(t, request, nil)
		assert.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
		assert.Equal(t, http.Header{
			"Upgrade":              {"websocket"},
			"Connection":           {"Upgrade"},
			"Sec-Websocket-Accept": {sampleAccept},
		}, resp.Header)
		assert.Empty(t, early)
	})

	for offer, want := range map[string]string{
		"Sec-WebSocket-Protocol: chat":                                     "chat",
		"Sec-WebSocket-Protocol: v2.chat!#$%&'*+-.^_`|~ , chat":            "v2.chat!#$%&'*+-.^_`|~",
		"Sec-WebSocket-Protocol: one\r\nSec-WebSocket-Protocol: two":       "one",
		"Sec-WebSocket-Protocol: , chat":                                   "",
		"Sec-WebSocket-Protocol: no token":                                 "",
		"Sec-WebSocket-Protocol: caf\u00e9":                                "",
		"Sec-WebSocket-Protocol: " + strings.Repeat(" ,\t", 1000) + "chat": "",
	} {
		t.Run("the first subprotocol offered is accepted if it is a token: "+offer[:min(len(offer), 60)], func(t *testing.T) {
			resp, _ := exchange(t, strings.TrimSuffix(request, "\r\n")+offer+"\r\n\r\n", http.Header{"Sec-Websocket-Protocol": {"forged"}})
			assert.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
			assert.Equal(t, want, strings.Join(resp.Header["Sec-Websocket-Protocol"], " and "))
		})
	}

	t.Run("the caller's fields are added, but none that belong to the handshake", func(t *testing.T) {
		resp, _ := exchange(t, request, http.Header{
			"Set-Cookie":               {"a=1", "b=2"},
			"X-Split":                  {"x\r\nX-Injected: 1"},
			"Bad Name":                 {"x"},
			"sec-websocket-extensions": {"permessage-deflate"},
			"Sec-Websocket-Accept":     {"forged"},
			"Connection":               {"close"},
			"Content-Length":           {"5"},
		})
		assert.Equal(t, http.Header{
			"Upgrade":              {"websocket"},
			"Connection":           {"Upgrade"},
			"Sec-Websocket-Accept": {sampleAccept},
			"Set-Cookie":           {"a=1", "b=2"},
			"X-Split":              {"x  X-Injected: 1"},
		}, resp.Header)
	})

	t.Run("bytes sent right after the request are handed over", func(t *testing.T) {
		resp, early := exchange(t, request+string(text("early")), nil)
		assert.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
		assert.Equal(t, string(text("early")), early)
	})
}

// pipeWriter gives up one end of a pipe.
type pipeWriter struct {
	http.ResponseWriter
	conn net.Conn
}

func (w pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReader(w.conn), bufio.NewWriter(w.conn)), nil
}

func TestUpgrade_Deadlines(t *testing.T) {
	t.Run("a peer that does not read is given up after ten seconds", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, client := net.Pipe()
			defer client.Close()
			start := time.Now()
			conn, _, err := websocket.Upgrade(pipeWriter{httptest.NewRecorder(), server}, opening(), nil)
			assert.Nil(t, conn)
			var refusal *websocket.HandshakeError
			assert.False(t, errors.As(err, &refusal), "it is too late to answer")
			var timeout net.Error
			require.ErrorAs(t, err, &timeout)
			assert.True(t, timeout.Timeout())
			assert.Equal(t, 10*time.Second, time.Since(start))
			_, err = client.Read(make([]byte, 1))
			assert.Equal(t, io.EOF, err, "the connection is closed")
		})
	})

	t.Run("no deadline is left on the connection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, client := net.Pipe()
			defer client.Close()
			require.NoError(t, server.SetDeadline(time.Now().Add(time.Second)))
			go func() {
				_, _ = http.ReadResponse(bufio.NewReaderSize(client, 1), nil)
				time.Sleep(time.Hour) // in the bubble's time
				_, _ = client.Write([]byte("x"))
				_, _ = client.Read(make([]byte, 1))
			}()
			conn, _, err := websocket.Upgrade(pipeWriter{httptest.NewRecorder(), server}, opening(), nil)
			require.NoError(t, err)
			defer conn.Close()
			n, err := conn.Read(make([]byte, 1))
			require.NoError(t, err)
			assert.Equal(t, 1, n)
			_, err = conn.Write([]byte("y"))
			require.NoError(t, err)
		})
	})
}
