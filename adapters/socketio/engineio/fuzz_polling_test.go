package engineio_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/test/cost"
)

// FuzzPollingPayload posts any bytes. What is heard must be what a plain reading of the protocol gives, and nothing may
// panic: there is no net/http around it to recover, and the log must stay empty.
func FuzzPollingPayload(f *testing.F) {
	for _, tc := range received {
		f.Add([]byte(tc.packet))
		f.Add([]byte("4a\x1e" + tc.packet + "\x1ebAQI=\x1e4b"))
	}
	f.Add([]byte("4\xff\x1e4a"))
	f.Add([]byte("\x1e\x1e\x1e"))
	f.Add([]byte("bAQ\r\nI="))
	f.Add([]byte("b=\x1eb\x1eb===="))
	f.Add([]byte("4" + strings.Repeat("\u0000", 100)))
	f.Add([]byte("2\x1e2\x1e2"))
	f.Add([]byte("0{\"sid\":\"x\"}"))
	f.Add([]byte("4\xed\xa0\x80"))
	f.Add(bytes.Repeat([]byte("3\x1e"), fuzzPayload/2+1))
	f.Fuzz(func(t *testing.T, body []byte) {
		k := unserved(t, engineio.Config{MaxPayload: fuzzPayload})
		request := func(method, target string, body []byte) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			k.engine.ServeHTTP(w, httptest.NewRequest(method, target, bytes.NewReader(body)))
			return w
		}
		c := k.clientOf(request(http.MethodGet, polling, nil).Body.String())
		var w *httptest.ResponseRecorder
		// The most expensive packet is an empty message: two bytes, and what the receiver notes of it.
		spent := cost.Allocated(func() { w = request(http.MethodPost, c.target, body) })
		require.LessOrEqual(t, spent, 256*uint64(min(len(body), fuzzPayload))+128<<10)
		if len(body) > fuzzPayload {
			assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
			assert.Empty(t, c.peer.got())
			return
		}
		want, reason := readPayload(string(body))
		if reason == "" || reason == engineio.ReasonTransportClose {
			assert.Equal(t, http.StatusOK, w.Code)
			assert.Equal(t, "ok", w.Body.String())
		} else {
			assert.Equal(t, http.StatusBadRequest, w.Code)
		}
		require.Equal(t, want, c.peer.got())
		if reason == "" {
			assert.Equal(t, 1, k.engine.Len())
			return
		}
		assert.Equal(t, reason, c.peer.wait(t))
		assert.Zero(t, k.engine.Len())
	})
}

// fuzzPayload is small, so that the fuzzer reaches the limit.
const fuzzPayload = 4096

// readPayload reads a polling payload as the protocol describes it. It returns the messages, and why the session ends,
// "" if it does not.
func readPayload(body string) (heard []string, reason engineio.CloseReason) {
	heard = []string{}
	for _, packet := range strings.Split(body, "\x1e") {
		if packet == "" || packet[0] != 'b' && !utf8.ValidString(packet) {
			return heard, engineio.ReasonParseError
		}
		message, reason := readPacket(packet)
		if reason != "" {
			return heard, reason
		}
		heard = append(heard, message...)
	}
	return heard, ""
}

// readPacket reads one packet in its text form. It returns the message, if it is one, and why the session ends, "" if
// it does not.
func readPacket(packet string) (heard []string, reason engineio.CloseReason) {
	switch packet[0] {
	case '4':
		return []string{packet[1:]}, ""
	case 'b':
		data, err := readBase64(packet[1:])
		if err != nil {
			return nil, engineio.ReasonParseError
		}
		return []string{fmt.Sprintf("binary % x", data)}, ""
	case '0', '3', '5', '6':
		return nil, ""
	case '1':
		return nil, engineio.ReasonTransportClose
	case '2':
		return nil, engineio.ReasonTransportError
	}
	return nil, engineio.ReasonParseError
}

// readBase64 reads base64 with any amount of padding at the end, and line breaks before that.
func readBase64(s string) ([]byte, error) {
	digits := strings.NewReplacer("\r", "", "\n", "").Replace(strings.TrimRight(s, "="))
	if strings.Contains(digits, "=") {
		return nil, base64.CorruptInputError(0)
	}
	return base64.StdEncoding.DecodeString(digits + strings.Repeat("=", (4-len(digits)%4)%4))
}
