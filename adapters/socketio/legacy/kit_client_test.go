package legacy_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

// pollingClient is a client of Engine.IO v3 that polls.
type pollingClient struct {
	*kit
	sid    string
	target string
	// id is what the chat knows the session by.
	id domain.SessionID
}

// auth is a handshake's header with a good token.
var auth = []string{"Authorization", "Bearer " + goodToken}

// newPolling opens a session.
func (k *kit) newPolling() *pollingClient {
	k.t.Helper()
	c, more := k.handshake(k.do(http.MethodGet, polling, "", auth...))
	require.Equal(k.t, []string{"40"}, more)
	c.id = k.newest()
	return c
}

// handshake reads the answer to a handshake: the open packet and what comes with it.
func (k *kit) handshake(a answer) (c *pollingClient, more []string) {
	k.t.Helper()
	require.Equal(k.t, http.StatusOK, a.status, a.body)
	packets := decode(k.t, a.body)
	sid := opened(k, packets[0])
	return &pollingClient{kit: k, sid: sid, target: polling + "&sid=" + sid}, packets[1:]
}

// opened returns the session id of an open packet.
func opened(k *kit, packet string) string {
	k.t.Helper()
	var open struct{ SID string }
	require.Equal(k.t, byte('0'), packet[0])
	require.NoError(k.t, json.Unmarshal([]byte(packet[1:]), &open))
	return open.SID
}

// newest returns the id of the session that signed in last.
func (k *kit) newest() domain.SessionID {
	k.t.Helper()
	synctest.Wait()
	open := k.chat.open()
	require.NotEmpty(k.t, open)
	return open[len(open)-1]
}

// poll returns the packets that a poll brings.
func (c *pollingClient) poll() []string {
	c.t.Helper()
	a := c.do(http.MethodGet, c.target, "")
	require.Equal(c.t, http.StatusOK, a.status, a.body)
	return decode(c.t, a.body)
}

// polls starts a poll; the channel gets its answer, or is closed if none came. Calling cancel aborts it.
func (c *pollingClient) polls() (answers <-chan answer, cancel func()) {
	ctx, cancel := context.WithCancel(c.t.Context())
	came := make(chan answer, 1)
	go func() {
		defer close(came)
		if a, err := c.request(ctx, http.MethodGet, c.target, ""); err == nil {
			came <- a
		}
	}()
	synctest.Wait()
	return came, cancel
}

// post sends packets.
func (c *pollingClient) post(packets ...string) answer {
	c.t.Helper()
	return c.do(http.MethodPost, c.target, encode(packets...), "Content-Type", "text/plain;charset=UTF-8")
}

// encode makes a payload as JavaScript clients do.
func encode(packets ...string) string {
	var b strings.Builder
	for _, p := range packets {
		b.WriteString(strconv.Itoa(len(utf16.Encode([]rune(p)))) + ":" + p)
	}
	return b.String()
}

// decode cuts a payload as JavaScript clients do.
func decode(t require.TestingT, payload string) (packets []string) {
	units := utf16.Encode([]rune(payload))
	for len(units) > 0 {
		digits, _, ok := strings.Cut(string(utf16.Decode(units)), ":")
		require.True(t, ok, payload)
		n, err := strconv.Atoi(digits)
		require.NoError(t, err, payload)
		start := len(digits) + 1
		require.LessOrEqual(t, start+n, len(units), payload)
		packets = append(packets, string(utf16.Decode(units[start:start+n])))
		units = units[start+n:]
	}
	return packets
}

// socketClient is a client of Engine.IO v3 on a WebSocket.
type socketClient struct {
	*kit
	ws  *websocket.Conn
	sid string
	id  domain.SessionID
}

// dial opens a WebSocket.
func (k *kit) dial(target string, headers ...string) (*socketClient, error) {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return k.pipes.dial() }}
	ws, response, err := dialer.DialContext(k.t.Context(), "ws://parley.test"+target, h)
	if err != nil {
		if response != nil {
			err = errors.New(response.Status)
		}
		return nil, err
	}
	k.t.Cleanup(func() { _ = ws.Close() })
	return &socketClient{kit: k, ws: ws}, nil
}

// newSocket opens a session and takes its CONNECT.
func (k *kit) newSocket() *socketClient {
	k.t.Helper()
	c, err := k.dial(webSocket, auth...)
	require.NoError(k.t, err)
	c.sid = opened(k, c.read())
	require.Equal(k.t, "40", c.read())
	c.id = k.newest()
	return c
}

// read returns the next packet.
func (c *socketClient) read() string {
	c.t.Helper()
	require.NoError(c.t, c.ws.SetReadDeadline(time.Now().Add(time.Hour)))
	_, data, err := c.ws.ReadMessage()
	require.NoError(c.t, err)
	return string(data)
}

// hangsUp waits for the server to end the connection; nothing may come before.
func (c *socketClient) hangsUp() {
	c.t.Helper()
	data, err := c.readLast()
	require.Error(c.t, err, "came: %s", data)
	require.NotErrorIs(c.t, err, os.ErrDeadlineExceeded)
}

// readLast reads once more, and answers a close frame.
func (c *socketClient) readLast() ([]byte, error) {
	_ = c.ws.SetReadDeadline(time.Now().Add(time.Hour)) // a pipe that is closed takes none
	_, data, err := c.ws.ReadMessage()
	// The library answers that answer too, for which a pipe has no room.
	go func() { _, _ = io.Copy(io.Discard, c.ws.UnderlyingConn()) }()
	return data, err
}

// write sends a packet.
func (c *socketClient) write(packet string) {
	c.t.Helper()
	require.NoError(c.t, c.ws.WriteMessage(websocket.TextMessage, []byte(packet)))
}

// probe opens a WebSocket for the session and completes the probe.
func (c *pollingClient) probe() *socketClient {
	c.t.Helper()
	ws, err := c.dial(webSocket + "&sid=" + c.sid)
	require.NoError(c.t, err)
	ws.write("2probe")
	require.Equal(c.t, "3probe", ws.read())
	synctest.Wait()
	return ws
}

// broadcast sends the event to one session.
func (k *kit) broadcast(to domain.SessionID, e domain.Event) {
	k.hub.Broadcast([]domain.SessionID{to}, "", e)
}

// content returns the content of a message event's packet.
func content(t require.TestingT, packet string) string {
	text, ok := strings.CutPrefix(packet, "42")
	require.True(t, ok, packet)
	var event [2]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(text), &event))
	require.JSONEq(t, `"message"`, string(event[0]))
	var payload struct{ Content string }
	require.NoError(t, json.Unmarshal(event[1], &payload))
	return payload.Content
}
