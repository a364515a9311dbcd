package engineio_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// What comes of one packet, in its text form, on either transport.
var received = map[string]struct {
	packet string
	heard  []string
	ended  []engineio.CloseReason
}{
	"a message":                            {"4hello", []string{"hello"}, nil},
	"an empty message":                     {"4", []string{""}, nil},
	"a message in other scripts":           {"4€ 漢字 \U0001F600", []string{"€ 漢字 \U0001F600"}, nil},
	"a message with a NUL":                 {"4a\x00b", []string{"a\x00b"}, nil},
	"a binary message":                     {"bAQIDBA==", []string{"binary 01 02 03 04"}, nil},
	"a binary message without padding":     {"bAQIDBA", []string{"binary 01 02 03 04"}, nil},
	"an empty binary message":              {"b", []string{"binary "}, nil},
	"a message that begins with b":         {"4bAQID", []string{"bAQID"}, nil},
	"binary of the URL alphabet":           {"b-_8=", nil, only(engineio.ReasonParseError)},
	"binary that is not base64":            {"b!", nil, only(engineio.ReasonParseError)},
	"binary that is cut":                   {"bAQIDB", nil, only(engineio.ReasonParseError)},
	"an unknown type":                      {"7", nil, only(engineio.ReasonParseError)},
	"a type that is not a digit":           {"x", nil, only(engineio.ReasonParseError)},
	"a binary message in capitals":         {"B", nil, only(engineio.ReasonParseError)},
	"a pong":                               {"3", nil, nil},
	"a pong with data":                     {"3probe", nil, nil},
	"an upgrade without a WebSocket":       {"5", nil, nil},
	"a noop":                               {"6", nil, nil},
	"a close":                              {"1", nil, only(engineio.ReasonTransportClose)},
	"a ping":                               {"2", nil, only(engineio.ReasonTransportError)},
	"a probe outside an upgrade":           {"2probe", nil, only(engineio.ReasonTransportError)},
	"an open packet":                       {"0", nil, nil},
	"a packet that begins with two digits": {"42", []string{"2"}, nil},
	"a type in fullwidth digits":           {"４hello", nil, only(engineio.ReasonParseError)},
}

// outcome completes a test's name with what comes of something received.
func outcome(heard []string, ended []engineio.CloseReason) string {
	switch {
	case len(ended) > 0:
		return " ends the session with " + string(ended[0])
	case len(heard) > 0:
		return " is heard"
	default:
		return " is ignored"
	}
}

// expect checks what the session has heard, and whether it has ended.
func (p *peer) expect(t *testing.T, k *kit, heard []string, ended []engineio.CloseReason) {
	t.Helper()
	synctest.Wait()
	assert.Equal(t, append([]string{}, heard...), p.got())
	assert.Equal(t, append([]engineio.CloseReason{}, ended...), p.ended())
	assert.Equal(t, 1-len(ended), k.engine.Len())
}

func TestReceive_Polling(t *testing.T) {
	for what, tc := range received {
		bubble(t, what+outcome(tc.heard, tc.ended), func(t *testing.T) {
			c := inMemory(t, engineio.Config{}).handshake()
			c.postFor(tc.packet, tc.ended)
			c.peer.expect(t, c.kit, tc.heard, tc.ended)
		})
	}
	for what, tc := range map[string]struct {
		payload string
		heard   []string
		ended   []engineio.CloseReason
	}{
		"a payload of several packets":              {"4a\x1ebAQ==\x1e3\x1e4b", []string{"a", "binary 01", "b"}, nil},
		"an empty payload":                          {"", nil, only(engineio.ReasonParseError)},
		"an empty packet at the end":                {"4a\x1e", []string{"a"}, only(engineio.ReasonParseError)},
		"an empty packet at the start":              {"\x1e4a", nil, only(engineio.ReasonParseError)},
		"an empty packet in the middle":             {"4a\x1e\x1e4b", []string{"a"}, only(engineio.ReasonParseError)},
		"a wrong packet before others":              {"4a\x1e9\x1e4b", []string{"a"}, only(engineio.ReasonParseError)},
		"text that is not UTF-8":                    {"4a\x1e4\xff", []string{"a"}, only(engineio.ReasonParseError)},
		"text cut within a letter":                  {"4\xe2\x82\x1e\xac", nil, only(engineio.ReasonParseError)},
		"the framing of an older protocol":          {"6:4hello", nil, nil},
		"the binary framing of an older protocol":   {"\x00\x06\xff4hello", nil, only(engineio.ReasonParseError)},
		"a message after a hundred thousand pongs":  {strings.Repeat("3\x1e", 100_000) + "4a", []string{"a"}, nil},
		"a form field, as a JSONP client posts it,": {"d=4hello", nil, only(engineio.ReasonParseError)},
	} {
		bubble(t, what+outcome(tc.heard, tc.ended), func(t *testing.T) {
			c := inMemory(t, engineio.Config{}).handshake()
			c.postFor(tc.payload, tc.ended)
			c.peer.expect(t, c.kit, tc.heard, tc.ended)
		})
	}
}

func TestReceive_WebSocket(t *testing.T) {
	for what, tc := range received {
		bubble(t, what+outcome(tc.heard, tc.ended), func(t *testing.T) {
			ws := inMemory(t, engineio.Config{}).openWebSocket()
			ws.sendText(tc.packet)
			ws.expectFarewell(tc.ended)
			ws.peer.expect(t, ws.kit, tc.heard, tc.ended)
		})
	}
	for what, tc := range map[string]struct {
		op      websocket.Opcode
		payload string
		heard   []string
		ended   []engineio.CloseReason
	}{
		"a binary frame":                          {websocket.OpBinary, "\x01\x02", []string{"binary 01 02"}, nil},
		"an empty binary frame":                   {websocket.OpBinary, "", []string{"binary "}, nil},
		"a binary frame that looks like a packet": {websocket.OpBinary, "1", []string{"binary 31"}, nil},
		"an empty text frame":                     {websocket.OpText, "", nil, only(engineio.ReasonParseError)},
		"text with a record separator":            {websocket.OpText, "4a\x1e4b", []string{"a\x1e4b"}, nil},
	} {
		bubble(t, what+outcome(tc.heard, tc.ended), func(t *testing.T) {
			ws := inMemory(t, engineio.Config{}).openWebSocket()
			ws.send(tc.op, []byte(tc.payload))
			ws.expectFarewell(tc.ended)
			ws.peer.expect(t, ws.kit, tc.heard, tc.ended)
		})
	}

	bubble(t, "frames that come right after the handshake are not lost", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws, _ := k.upgradeWith(webSocket, appendClientFrame(nil, websocket.OpText, []byte("4early")))
		assert.Equal(t, byte('0'), ws.read().data[0])
		k.peer(0).expect(t, k, []string{"early"}, nil)
	})

	bubble(t, "a message that breaks off while it arrives is never heard", func(t *testing.T) {
		ws := inMemory(t, engineio.Config{}).openWebSocket()
		wire := appendClientFrame(nil, websocket.OpText, []byte("4hello"))
		ws.write(wire[:len(wire)-1])
		ws.close()
		ws.peer.expect(t, ws.kit, nil, only(engineio.ReasonTransportClose))
	})
}
