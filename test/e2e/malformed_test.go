package e2e_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// huge is a number of bytes just below MAX_PAYLOAD, the largest packet.
const huge = 990_000

// violations are text packets for which the server ends the sender's connection.
var violations = map[string]string{
	"an empty packet":                                      "",
	"an unknown Engine.IO type":                            "9",
	"an Engine.IO type that is no digit":                   "x",
	"an Engine.IO ping, which is the server's to send":     "2",
	"base64 that is none":                                  "b!!!",
	"a Socket.IO packet without a type":                    "4",
	"an unknown Socket.IO type":                            "49",
	"a packet of nines":                                    "4999",
	"a second CONNECT":                                     "40",
	"CONNECT with a string for auth":                       `40/other,"invalid"`,
	"CONNECT with an array for auth":                       "40[]",
	"CONNECT with half an object":                          `40{"token":`,
	"DISCONNECT with a payload":                            "41{}",
	"DISCONNECT from a namespace that was never joined":    "41/admin,",
	"an event for a namespace that was never joined":       `42/admin,["message",{}]`,
	"an event that is an object":                           "42{}",
	"an event that is an empty array":                      "42[]",
	"an event that is not JSON":                            "42[message]",
	"an event that ends too early":                         `42["some","data"`,
	"an event with something behind it":                    `42["message",{}]x`,
	"an event with an object for a name":                   `42[{"toString":"foo"}]`,
	"an event with true for a name":                        `42[true,"x"]`,
	"an event with null for a name":                        `42[null,"bar"]`,
	"an event with an array for a name":                    `42[["message"]]`,
	"an event with the reserved name connect":              `42["connect"]`,
	"an event with the reserved name connect_error":        `42["connect_error",{}]`,
	"an event with the reserved name disconnect":           `42["disconnect","123"]`,
	"an event with the reserved name disconnecting":        `42["disconnecting"]`,
	"an event with the reserved name newListener":          `42["newListener","x"]`,
	"an event with the reserved name removeListener":       `42["removeListener","x"]`,
	"an event with an ack id that no integer holds":        `42` + strings.Repeat("9", 40) + `["message"]`,
	"an event with a megabyte of digits for an ack id":     "42" + strings.Repeat("1", huge) + `["message"]`,
	"an event with a megabyte of namespace":                "42/" + strings.Repeat("n", huge) + `,["message"]`,
	"an event with half a megabyte of opening brackets":    `42["message",` + strings.Repeat("[", huge/2),
	"an event as deep as a packet may be":                  `42["message",` + strings.Repeat("[", huge/2) + strings.Repeat("]", huge/2-20) + "]",
	"an event with more arguments than any event has":      `42["typing"` + strings.Repeat(",0", huge/2) + `]`,
	"an answer that is an object":                          "430{}",
	"an answer that is not JSON":                           "430[",
	"CONNECT_ERROR, which is the server's to send":         `44{"message":"no"}`,
	"binary data without a count of attachments":           `45["hello"]`,
	"binary data without a dash":                           "451",
	"binary data with a count that is no number":           "45a-",
	"binary data with a fraction for a count":              "451.23-",
	"binary data without data":                             "450-",
	"binary data with more attachments than anyone sends":  `455999999999-["e",{"_placeholder":true,"num":0}]`,
	"binary data with eleven attachments":                  `4511-["e",{"_placeholder":true,"num":0}]`,
	"binary data with a placeholder that is no index":      `451-["hello",{"_placeholder":true,"num":"splice"}]`,
	"an answer with binary data without a count":           "46[]",
	"a packet that is nothing but NUL":                     strings.Repeat("\x00", 1000),
	"an Engine.IO packet of the polling form, two at once": "42[\"typing\",{}]\x1e41",
}

// badFrames are bytes that break RFC 6455 or a limit on frames, each with the code of the Close frame that must answer.
var badFrames = map[string]struct {
	bytes []byte
	code  int
}{
	"RSV1 without an extension":               {frame(0xc1, "42"), websocket.CloseProtocolError},
	"RSV2":                                    {frame(0xa1, "42"), websocket.CloseProtocolError},
	"RSV3 on a control frame":                 {frame(0x99, ""), websocket.CloseProtocolError},
	"a reserved data opcode":                  {frame(0x83, ""), websocket.CloseProtocolError},
	"a reserved control opcode":               {frame(0x8b, ""), websocket.CloseProtocolError},
	"a frame without a mask":                  {[]byte{0x81, 0x01, '3'}, websocket.CloseProtocolError},
	"a continuation of nothing":               {frame(0x80, "x"), websocket.CloseProtocolError},
	"a message in the middle of another":      {append(frame(0x01, "4"), frame(0x81, "2")...), websocket.CloseProtocolError},
	"a ping in fragments":                     {frame(0x09, "x"), websocket.CloseProtocolError},
	"a ping that is too long":                 {frame(0x89, strings.Repeat("x", 126)), websocket.CloseProtocolError},
	"a length that is longer than it needs":   {[]byte{0x81, 0x80 | 126, 0, 1, 0, 0, 0, 0, '3'}, websocket.CloseProtocolError},
	"a length with its top bit set":           {[]byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, websocket.CloseProtocolError},
	"the largest length":                      {[]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, websocket.CloseMessageTooBig},
	"the largest length, not masked":          {[]byte{0x81, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, websocket.CloseProtocolError},
	"one byte over the limit":                 {frame(0x81, "4"+strings.Repeat("x", 1_000_000))[:14], websocket.CloseMessageTooBig},
	"fragments over the limit":                {append(frame(0x01, "4"+strings.Repeat("x", 600_000)), frame(0x80, strings.Repeat("x", 400_000))[:14]...), websocket.CloseMessageTooBig},
	"a message in a flood of empty fragments": {append(frame(0x01, "4"), bytes.Repeat(frame(0x00, ""), 2_000)...), websocket.ClosePolicyViolation},
	"text that is not UTF-8":                  {frame(0x81, "42[\"\xff\"]"), websocket.CloseInvalidFramePayloadData},
	"text with half a surrogate pair":         {frame(0x81, "42[\"\xed\xa0\x80\"]"), websocket.CloseInvalidFramePayloadData},
	"a close with one byte":                   {frame(0x88, "\x03"), websocket.CloseProtocolError},
	"a close with a code for no wire":         {frame(0x88, "\x03\xed"), websocket.CloseProtocolError},
	"a close with a code that does not exist": {frame(0x88, "\x00\x00"), websocket.CloseProtocolError},
	"a close with a reason that is not UTF-8": {frame(0x88, "\x03\xe8\xff"), websocket.CloseInvalidFramePayloadData},
	"bytes that are no WebSocket":             {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), websocket.CloseProtocolError},
}

// attachment is the text frame of a binary event that announces one attachment, in the namespace as it is written in a
// packet: "" for the main one, "/admin,".
func attachment(namespace string) []byte {
	return frame(0x81, `451-`+namespace+`["message",{"_placeholder":true,"num":0}]`)
}

// outOfTurn are binary messages where none is expected, and text where one is.
var outOfTurn = map[string][]byte{
	"an attachment that was not announced":                   frame(0x82, "42"),
	"one attachment too many":                                bytes.Join([][]byte{attachment(""), frame(0x82, "x"), frame(0x82, "x")}, nil),
	"an event where an attachment was announced":             append(attachment(""), frame(0x81, `42["typing",{}]`)...),
	"a goodbye where an attachment was announced":            append(attachment(""), frame(0x81, "41")...),
	"an attachment for a namespace that was never joined":    append(attachment("/admin,"), frame(0x82, "x")...),
	"an attachment that is larger than a packet may be":      append(attachment(""), frame(0x82, strings.Repeat("x", 1_000_001))[:14]...),
	"an attachment in base64 where none was announced":       frame(0x81, "bAAAA"),
	"an answer with an attachment that is announced as text": append(frame(0x81, `461-7[{"_placeholder":true,"num":0}]`), frame(0x81, "x")...),
}

// beforeConnect are packets that a client may send only after CONNECT.
var beforeConnect = map[string][]byte{
	"an event":       frame(0x81, `42["message",{"conversationId":"lobby","content":"hi"}]`),
	"an answer":      frame(0x81, "430[]"),
	"a disconnect":   frame(0x81, "41"),
	"a binary event": append(attachment(""), frame(0x82, "x")...),
}

// harmless are packets of a client that is mistaken or late. They have no effect, and the connection goes on.
var harmless = map[string]string{
	"an answer that no one waits for":        "437[]",
	"an answer with an id that no one gave":  "43999[\"x\"]",
	"an Engine.IO upgrade without a probe":   "5",
	"an Engine.IO noop":                      "6",
	"a pong that no one asked for":           "3",
	"a pong with data":                       "3probe",
	"an event with a number for a name":      `42[7,"x"]`,
	"an event that no one handles":           `42["__proto__",{"__proto__":{"admin":true}}]`,
	"an event with a NUL in its name":        `42["a\u0000b"]`,
	"an event with a lone surrogate in it":   `42["typing",{"conversationId":"\ud800","isTyping":true}]`,
	"an event with a megabyte of name":       `42["` + strings.Repeat("n", huge) + `"]`,
	"an event with spaces between its parts": `42[ "typing" , { } ]`,
}

// TestMalformed sends what security advisories against Socket.IO servers describe. The sender's connection must end,
// and another client must not notice.
func TestMalformed(t *testing.T) {
	t.Parallel()
	// Timeouts this long end no connection during the test: what ends one is what its client sent.
	s := boot(t, map[string]string{"CONNECT_TIMEOUT": "10m", "PING_INTERVAL": "10m"})
	undisturbed := s.witness(t)
	// ends sends the bytes, waits for the end of the connection and returns the code of the server's Close frame.
	ends := func(t *testing.T, mallory *raw, bytes []byte) (code int) {
		t.Helper()
		_ = mallory.writeBytes(bytes) // the server may hang up before it has read all
		code, err := mallory.ended()
		require.NoError(t, err, "the connection goes on")
		undisturbed(t)
		return code
	}

	for name, packet := range violations {
		t.Run(name+" ends the connection", func(t *testing.T) {
			ends(t, s.connect(t, "mallory", "lobby"), frame(0x81, packet))
		})
	}
	for name, bytes := range outOfTurn {
		t.Run(name+" ends the connection", func(t *testing.T) {
			ends(t, s.connect(t, "mallory", "lobby"), bytes)
		})
	}
	for name, bytes := range beforeConnect {
		t.Run(name+" before CONNECT ends the connection", func(t *testing.T) {
			ends(t, s.open(t), bytes)
		})
	}
	for name, bad := range badFrames {
		t.Run(name+" ends the connection with its code", func(t *testing.T) {
			assert.Equal(t, bad.code, ends(t, s.connect(t, "mallory", "lobby"), bad.bytes))
		})
	}
	for name, packet := range harmless {
		t.Run(name+" is survived", func(t *testing.T) {
			client := s.connect(t, "clumsy", "lobby")
			require.NoError(t, client.write(packet))
			answer, err := client.say("lobby", "still here")
			require.NoError(t, err)
			assert.True(t, answer.OK)
			client.close()
			undisturbed(t)
		})
	}
	s.waitForConnections(t, 1, patience)
}
