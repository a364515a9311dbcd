package engineio_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// These tests check the bytes that leave the server.
func TestWire_Handshake(t *testing.T) {
	for config, want := range map[*engineio.Config]string{
		{}:                `0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`,
		{NoUpgrade: true}: `0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`,
		{Transports: []string{"polling"}, PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond, MaxPayload: 99}: `0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":99}`,
	} {
		bubble(t, "the open packet on polling is "+want, func(t *testing.T) {
			config.GenerateID = fixedID("lv_VI97HAXpY6yYWAAAC")
			got := inMemory(t, *config).get(polling)
			assert.Equal(t, answerOf(http.StatusOK, want), summary(got))
			assert.Equal(t, "text/plain; charset=UTF-8", got.header.Get("Content-Type"))
			assert.Equal(t, "no-store", got.header.Get("Cache-Control"))
			assert.Equal(t, fmt.Sprint(len(want)), got.header.Get("Content-Length"))
		})
	}

	bubble(t, "the open packet on a WebSocket names no upgrades", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{GenerateID: fixedID("x")}).upgradeTo(webSocket)
		want := `0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
		assert.Equal(t, "81 58 "+spaced(want), ws.readRaw(2+len(want)))
	})

	bubble(t, "ids are 144 random bits in base64url", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		seen := make(map[string]bool)
		for range 100 {
			sid := k.openWebSocket().sid
			assert.Regexp(t, "^[A-Za-z0-9_-]{24}$", sid)
			seen[sid] = true
		}
		assert.Len(t, seen, 100)
	})
}

func TestWire_Polling(t *testing.T) {
	long := strings.Repeat("é", 100_000)
	for sentence, tc := range map[string]struct {
		packets []*engineio.Packet
		want    string
	}{
		"text is its type and the text":                {[]*engineio.Packet{textPacket("hello")}, "4hello"},
		"an empty message is its type alone":           {[]*engineio.Packet{textPacket("")}, "4"},
		"text that begins with b stays text":           {[]*engineio.Packet{textPacket("bAQID")}, "4bAQID"},
		"binary is b and padded base64":                {[]*engineio.Packet{binaryPacket(1, 2, 3, 4)}, "bAQIDBA=="},
		"base64 is of the standard alphabet":           {[]*engineio.Packet{binaryPacket(0xfb, 0xff)}, "b+/8="},
		"empty binary is b alone":                      {[]*engineio.Packet{binaryPacket()}, "b"},
		"packets are joined with the record separator": {[]*engineio.Packet{textPacket("a"), binaryPacket(0xff), textPacket("€")}, "4a\x1eb/w==\x1e4€"},
		"a volatile packet looks like any other one":   {[]*engineio.Packet{textPacket("v").Volatile()}, "4v"},
		"a long payload has a length too":              {[]*engineio.Packet{textPacket(long)}, "4" + long},
	} {
		bubble(t, sentence, func(t *testing.T) {
			c := inMemory(t, engineio.Config{}).handshake()
			c.peer.session.Send(tc.packets...)
			got := c.beginPoll().wait()
			assert.Equal(t, http.StatusOK, got.status)
			assert.Equal(t, tc.want, got.body)
			assert.Equal(t, "text/plain; charset=UTF-8", got.header.Get("Content-Type"))
			assert.Equal(t, "no-store", got.header.Get("Cache-Control"))
			assert.Equal(t, fmt.Sprint(len(tc.want)), got.header.Get("Content-Length"))
		})
	}

	bubble(t, "a POST is answered with ok", func(t *testing.T) {
		got := inMemory(t, engineio.Config{}).handshake().beginPost("4hello").wait()
		assert.Equal(t, answerOf(http.StatusOK, "ok"), summary(got))
		assert.Equal(t, "text/html", got.header.Get("Content-Type"))
		assert.Equal(t, "2", got.header.Get("Content-Length"))
	})
}

// Frames of every kind, at the lengths at which the header changes (RFC 6455 §5.2).
func TestWire_WebSocket(t *testing.T) {
	headers := map[int]string{
		1: "01", 2: "02", 125: "7d", 126: "7e 00 7e", 65_535: "7e ff ff", 65_536: "7f 00 00 00 00 00 01 00 00",
	}
	for length, header := range headers {
		bubble(t, fmt.Sprintf("a payload of %d bytes has the length %s", length, header), func(t *testing.T) {
			ws := inMemory(t, engineio.Config{}).openWebSocket()
			body := strings.Repeat("x", length)
			n := 1 + len(strings.Fields(header)) + length
			ws.peer.send(body[1:])
			assert.Equal(t, "81 "+header+" "+spaced("4"+body[1:]), ws.readRaw(n), "text")
			ws.peer.session.Send(binaryPacket([]byte(body)...))
			assert.Equal(t, "82 "+header+" "+spaced(body), ws.readRaw(n), "binary")
			if length <= 125 {
				ws.send(websocket.OpPing, []byte(body))
				assert.Equal(t, "8a "+header+" "+spaced(body), ws.readRaw(n), "pong")
			}
		})
	}

	bubble(t, "packets of the engine have the shortest form", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		ws := c.kit.upgradeTo(webSocket + "&sid=" + c.sid)
		ws.sendText("2probe")
		assert.Equal(t, "81 06 33 70 72 6f 62 65", ws.readRaw(8), "probe")
		ws.sendText("5")
		c.peer.session.Send(binaryPacket())
		assert.Equal(t, "82 00", ws.readRaw(2), "empty binary")
		assert.Equal(t, "81 01 32", ws.readRaw(3), "ping")
		c.peer.session.Close()
		assert.Equal(t, "88 00", ws.readRaw(2), "close")
	})

	for sentence, tc := range map[string]struct {
		config engineio.Config
		wire   []byte
		want   string
	}{
		"1002 for a frame without a mask":   {engineio.Config{}, []byte{0x81, 0x00}, "\x03\xeaclient frame is not masked"},
		"1002 for reserved bits":            {engineio.Config{}, []byte{0xb1, 0x80}, "\x03\xeareserved bits set without an extension"},
		"1007 for text that is not UTF-8":   {engineio.Config{}, appendClientFrame(nil, websocket.OpText, []byte("4\xff")), "\x03\xeftext message is not UTF-8"},
		"1009 for a message over the limit": {engineio.Config{MaxPayload: 9}, appendClientFrame(nil, websocket.OpText, []byte("4123456789")), "\x03\xf1message is too big"},
	} {
		bubble(t, "a violation is answered with "+sentence, func(t *testing.T) {
			k := inMemory(t, tc.config)
			ws := k.openWebSocket()
			go ws.write(append(tc.wire, "and more that is never looked at"...))
			assert.Equal(t, closeFrame(tc.want), ws.read())
			ws.close()
			k.settle()
			assert.Equal(t, only(engineio.ReasonTransportError), ws.peer.ended())
			assert.Empty(t, ws.peer.got())
		})
	}
}

func TestPacket_Len(t *testing.T) {
	t.Run("the length of a packet is that of its frame", func(t *testing.T) {
		assert.Equal(t, 2+1+5, textPacket("hello").Len())
		assert.Equal(t, 2+5, binaryPacket(1, 2, 3, 4, 5).Len())
		assert.Equal(t, 10+65_536, textPacket(strings.Repeat("x", 65_535)).Len())
	})
}

// readRaw returns the next n bytes in hex.
func (ws *wsClient) readRaw(n int) string {
	ws.t.Helper()
	raw := make([]byte, n)
	_, err := io.ReadFull(ws.r, raw)
	require.NoError(ws.t, err)
	return fmt.Sprintf("% x", raw)
}

// spaced returns the text in hex.
func spaced(text string) string {
	return fmt.Sprintf("% x", text)
}
