package engineio_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

const webSocket = "/engine.io/?EIO=4&transport=websocket"

// wsClient is a WebSocket client that reads and writes frames.
type wsClient struct {
	t    testing.TB
	kit  *kit
	conn net.Conn
	r    *bufio.Reader
	peer *peer
	// sid is the id in the open packet.
	sid string
}

// frame is a complete frame, or, if closed is set, the end of the connection.
type frame struct {
	op     websocket.Opcode
	data   string
	closed bool
	// deflated: the data came compressed; here it is decompressed.
	deflated bool
}

func text(s string) frame          { return frame{op: websocket.OpText, data: s} }
func closeFrame(body string) frame { return frame{op: websocket.OpClose, data: body} }

var hungUp = frame{closed: true}

// openWebSocket opens a session on a WebSocket and reads its open packet.
func (k *kit) openWebSocket() *wsClient {
	k.t.Helper()
	ws := k.upgradeTo(webSocket)
	opened := ws.read()
	require.Equal(k.t, websocket.OpText, opened.op)
	c := k.clientOf(opened.data)
	ws.sid, ws.peer = c.sid, c.peer
	return ws
}

// probe opens a WebSocket for the session and completes the probe of the upgrade.
func (c *pollingClient) probe() *wsClient {
	c.kit.t.Helper()
	ws := c.kit.upgradeTo(webSocket + "&sid=" + c.sid)
	ws.peer = c.peer
	ws.sendText("2probe")
	require.Equal(c.kit.t, text("3probe"), ws.read())
	c.kit.settle()
	return ws
}

// upgradeTo connects a WebSocket, which must be accepted.
func (k *kit) upgradeTo(target string, fields ...string) *wsClient {
	k.t.Helper()
	ws, got := k.tryUpgrade(target, fields...)
	require.Equal(k.t, http.StatusSwitchingProtocols, got.status, got.body)
	return ws
}

var upgradeHeader = http.Header{
	"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
	"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
}

// tryUpgrade asks for a WebSocket and also returns the answer.
func (k *kit) tryUpgrade(target string, fields ...string) (*wsClient, answer) {
	k.t.Helper()
	return k.upgradeWith(target, nil, fields...)
}

// upgradeWith asks for a WebSocket and sends early in the same write as the request.
func (k *kit) upgradeWith(target string, early []byte, fields ...string) (*wsClient, answer) {
	k.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://example.test"+target, nil)
	require.NoError(k.t, err)
	req.Header = upgradeHeader.Clone()
	for i := 0; i < len(fields); i += 2 {
		req.Header.Add(fields[i], fields[i+1])
	}
	ws := &wsClient{t: k.t, kit: k, conn: k.dial()}
	ws.r = bufio.NewReader(ws.conn)
	var out bytes.Buffer
	require.NoError(k.t, req.Write(&out))
	ws.write(append(out.Bytes(), early...))
	resp, err := http.ReadResponse(ws.r, req)
	require.NoError(k.t, err)
	got := answer{status: resp.StatusCode, header: resp.Header}
	if got.status != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(resp.Body)
		require.NoError(k.t, err)
		got.body = string(body)
	}
	return ws, got
}

// mask is the masking key of RFC 6455 §5.7.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// appendClientFrame appends a final, masked frame (RFC 6455 §5.2).
func appendClientFrame(dst []byte, op websocket.Opcode, payload []byte) []byte {
	dst = append(dst, 0x80|byte(op))
	switch n := len(payload); {
	case n <= 125:
		dst = append(dst, 0x80|byte(n))
	case n <= 0xFFFF:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	dst = append(dst, mask[:]...)
	for i, b := range payload {
		dst = append(dst, b^mask[i%4])
	}
	return dst
}

// sendText sends each text as a frame, all of them in one write.
func (ws *wsClient) sendText(texts ...string) {
	ws.t.Helper()
	var out []byte
	for _, s := range texts {
		out = appendClientFrame(out, websocket.OpText, []byte(s))
	}
	ws.write(out)
}

func (ws *wsClient) send(op websocket.Opcode, payload []byte) {
	ws.t.Helper()
	ws.write(appendClientFrame(nil, op, payload))
}

func (ws *wsClient) write(wire []byte) {
	ws.t.Helper()
	_, err := ws.conn.Write(wire)
	assert.NoError(ws.t, err)
}

// read returns the next frame, or hungUp if the connection ends.
func (ws *wsClient) read() frame {
	var head [2]byte
	if _, err := io.ReadFull(ws.r, head[:]); err != nil {
		return hungUp
	}
	if !assert.Zero(ws.t, head[1]&0x80, "server frames are not masked") {
		return hungUp
	}
	n := uint64(head[1])
	switch n {
	case 126:
		var length [2]byte
		_, _ = io.ReadFull(ws.r, length[:])
		n = uint64(binary.BigEndian.Uint16(length[:]))
	case 127:
		var length [8]byte
		_, _ = io.ReadFull(ws.r, length[:])
		n = binary.BigEndian.Uint64(length[:])
	}
	var data strings.Builder
	if _, err := io.CopyN(&data, ws.r, int64(n)); err != nil {
		return hungUp
	}
	f := frame{op: websocket.Opcode(head[0] & 0x0F), data: data.String(), deflated: head[0]&0x40 != 0}
	if f.deflated {
		all, err := io.ReadAll(flate.NewReader(strings.NewReader(f.data + "\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
		assert.NoError(ws.t, err)
		f.data = string(all)
	}
	return f
}

// readText returns the texts of the next n frames, all of which must be text.
func (ws *wsClient) readText(n int) []string {
	ws.t.Helper()
	texts := make([]string, 0, n)
	for range n {
		f := ws.read()
		if !assert.Equal(ws.t, websocket.OpText, f.op, "%+v", f) {
			return texts
		}
		texts = append(texts, f.data)
	}
	return texts
}

// expectFarewell, if the session has ended, reads the close frame and the end of the connection, and closes.
func (ws *wsClient) expectFarewell(ended []engineio.CloseReason) {
	ws.t.Helper()
	if len(ended) == 0 {
		return
	}
	assert.Equal(ws.t, frame{op: websocket.OpClose}, ws.read())
	assert.Equal(ws.t, hungUp, ws.read(), "the server has closed its side")
	ws.close()
}

func (ws *wsClient) close() { _ = ws.conn.Close() }

// openWebSockets opens n sessions.
func (k *kit) openWebSockets(n int) []*wsClient {
	k.t.Helper()
	clients := make([]*wsClient, n)
	for i := range clients {
		clients[i] = k.openWebSocket()
	}
	return clients
}

func sessions(clients []*wsClient) []*engineio.Session {
	all := make([]*engineio.Session, len(clients))
	for i, ws := range clients {
		all[i] = ws.peer.session
	}
	return all
}

// abort resets the connection.
func (ws *wsClient) abort() {
	assert.NoError(ws.t, ws.conn.(*net.TCPConn).SetLinger(0))
	ws.close()
}

func upgradeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, webSocket, nil)
	r.Header = upgradeHeader.Clone()
	return r
}

// hijackable is a response writer that gives up conn when hijacked.
type hijackable struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}
