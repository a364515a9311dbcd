package websocket_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio/websocket"
)

func TestAppendHeader(t *testing.T) {
	for _, c := range []struct {
		name   string
		op     websocket.Opcode
		length int
		want   string
	}{
		{"the text frame of RFC 6455 §5.7", websocket.OpText, 5, "8105"},
		{"an empty pong", websocket.OpPong, 0, "8a00"},
		{"a payload of the longest 7-bit length", websocket.OpBinary, 125, "827d"},
		{"a payload of the shortest 16-bit length", websocket.OpBinary, 126, "827e007e"},
		{"a payload of the 256 bytes of RFC 6455 §5.7", websocket.OpBinary, 256, "827e0100"},
		{"a payload of the longest 16-bit length", websocket.OpBinary, 65535, "827effff"},
		{"a payload of the 64 KiB of RFC 6455 §5.7", websocket.OpBinary, 65536, "827f0000000000010000"},
		{"a payload of a length beyond 32 bits", websocket.OpBinary, 0x0102030405060708, "827f0102030405060708"},
	} {
		t.Run(c.name+" has the header "+c.want, func(t *testing.T) {
			got := websocket.AppendHeader([]byte{0xEE}, c.op, c.length)
			assert.Equal(t, "ee"+c.want, hex.EncodeToString(got))
			assert.LessOrEqual(t, len(got)-1, websocket.MaxHeaderSize)
		})
	}
}

func TestAppendClose(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   websocket.CloseCode
		reason string
		want   string
	}{
		{"code and reason are the body", websocket.CloseGoingAway, "bye", "\x88\x05\x03\xe9bye"},
		{"a code may be without a reason", websocket.CloseNormal, "", "\x88\x02\x03\xe8"},
		{"code 0 is an empty body", 0, "not sent", "\x88\x00"},
		{"1005 is an empty body", websocket.CloseNoStatus, "not sent", "\x88\x00"},
		{"1006 is an empty body", websocket.CloseAbnormal, "not sent", "\x88\x00"},
		{"1015 is an empty body", websocket.CloseTLSHandshake, "not sent", "\x88\x00"},
		{"123 bytes fit", 4000, strings.Repeat("x", 123), "\x88\x7d\x0f\xa0" + strings.Repeat("x", 123)},
		{"the 124th byte is cut", 4000, strings.Repeat("x", 124), "\x88\x7d\x0f\xa0" + strings.Repeat("x", 123)},
		{"a rune across the cut is left out", 4000, strings.Repeat("x", 122) + "é!", "\x88\x7c\x0f\xa0" + strings.Repeat("x", 122)},
		{"bytes that are not UTF-8 are replaced", 4000, "a\xffb", "\x88\x07\x0f\xa0a\uFFFDb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, "^"+c.want, string(websocket.AppendClose([]byte("^"), c.code, c.reason)))
		})
	}

	t.Run("ParseClose reads what was appended", func(t *testing.T) {
		for length := range 200 {
			frame := websocket.AppendClose(nil, websocket.CloseServiceRestart, strings.Repeat("€", length))
			code, reason, err := websocket.ParseClose(frame[2:])
			require.NoError(t, err)
			assert.Equal(t, websocket.CloseServiceRestart, code)
			assert.Equal(t, min(length, 41), utf8.RuneCount(reason))
			assert.Len(t, frame, 2+int(frame[1]))
		}
	})
}

func TestParseClose(t *testing.T) {
	t.Run("an empty body is 1005", func(t *testing.T) {
		code, reason, err := websocket.ParseClose(nil)
		require.NoError(t, err)
		assert.Equal(t, websocket.CloseNoStatus, code)
		assert.Empty(t, reason)
	})
	t.Run("every code is judged as RFC 6455 §7.4 and the registry say", func(t *testing.T) {
		for code := range 1 << 16 {
			_, _, err := websocket.ParseClose([]byte{byte(code >> 8), byte(code)})
			allowed := code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006 ||
				code >= 3000 && code < 5000
			if allowed {
				require.NoError(t, err, code)
				continue
			}
			require.Equal(t, "1002", closeCode(err), code)
		}
	})
}
