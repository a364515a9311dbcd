package sio_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio"
	"parley/adapters/socketio/sio/msgpack"
	"parley/adapters/socketio/sio/packet"
)

// FuzzConn feeds a connection any messages: the input's lines, binary where they begin with '<'. They
// travel by polling, which needs no goroutines, so that a finding can be repeated.
func FuzzConn(f *testing.F) {
	f.Add([]byte("0\n20[\"echo\",{\"a\":1}]\n2/a,[\"e\"]\n1"))
	f.Add([]byte("0/a,{\"token\":\"x\"}\n51-/a,7[\"echo\",{\"_placeholder\":true,\"num\":0}]\n<abc\n1/a,\n0/a,"))
	f.Add([]byte("0\n2[\"kick\"]\n2[\"late\"]\n30[]\n61-0[{\"_placeholder\":true,\"num\":0}]\n<"))
	for _, v := range violations {
		var lines []string
		if !v.fresh {
			lines = []string{"0"}
		}
		for _, s := range v.steps {
			switch s := s.(type) {
			case string:
				lines = append(lines, strings.TrimPrefix(s, "4"))
			case []byte:
				lines = append(lines, "<"+string(s))
			}
		}
		f.Add([]byte(strings.Join(lines, "\n")))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var body []byte
		for i, line := range bytes.Split(input, []byte("\n")) {
			if i > 0 {
				body = append(body, separator...)
			}
			if data, ok := bytes.CutPrefix(line, []byte("<")); ok {
				body = base64.StdEncoding.AppendEncode(append(body, 'b'), data)
				continue
			}
			body = append(append(body, '4'), line...)
		}
		var answers packet.Assembler
		for _, m := range converse(t, sio.Config{}, body, []byte("40/nowhere,")) {
			switch {
			case strings.HasPrefix(m, "4"):
				_, _, err := answers.Text([]byte(m[1:]))
				require.NoError(t, err, "the server broke the protocol: %q", m)
			case strings.HasPrefix(m, "b"):
				_, _, err := answers.Binary(unbase64(t, m[1:]))
				require.NoError(t, err, "an attachment without its event")
			}
		}
		require.False(t, answers.Pending())
	})
}

// FuzzConn_msgpack feeds a connection of a client with msgpack two frames, after CONNECT if it is said so.
func FuzzConn_msgpack(f *testing.F) {
	for _, v := range packedViolations {
		frames := append(slices.Clone(v.frames), nil, nil)
		f.Add(!v.fresh, frames[0], frames[1])
	}
	for _, text := range []string{`41`, `42["kick"]`, `427["echo",{"a":[1,null]}]`, `42/a,["x"]`, `430[]`, `40/a,{"token":"x"}`} {
		f.Add(true, frameOf(f, text), frameOf(f, `421["echo","again"]`))
	}
	f.Add(true, frameOf(f, `451-7["echo",{"_placeholder":true,"num":0}]`, []byte("abc")), frameOf(f, `41`))
	f.Fuzz(func(t *testing.T, connects bool, first, second []byte) {
		var body []byte
		frames := [][]byte{first, second}
		if connects {
			frames = slices.Insert(frames, 0, frameOf(t, "40"))
		}
		for i, frame := range frames {
			if i > 0 {
				body = append(body, separator...)
			}
			body = base64.StdEncoding.AppendEncode(append(body, 'b'), frame)
		}
		last := base64.StdEncoding.AppendEncode([]byte("b"), frameOf(t, "40/nowhere,"))
		for _, m := range converse(t, packing, body, last) {
			require.NotRegexp(t, "^4", m, "a client with msgpack takes no text")
			if strings.HasPrefix(m, "b") {
				_, err := msgpack.Decode(unbase64(t, m[1:]))
				require.NoError(t, err, "the server broke the protocol: %q", m)
			}
		}
	})
}

func unbase64(t *testing.T, text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	return data
}

// converse serves one polling client, which sends the bodies, and returns what it is answered.
func converse(t *testing.T, config sio.Config, bodies ...[]byte) []string {
	var logs logbook
	config.Engine = engineio.Config{WriteTimeout: 10 * time.Millisecond} // how long Shutdown waits for a last poll
	config.Logger = slog.New(slog.NewTextHandler(&logs, nil))
	server := sio.NewServer(config)
	connected, gone := 0, 0
	for _, name := range []string{"/", "/a"} {
		n := server.Of(name)
		echo(n)
		n.On("kick", func(_ context.Context, e *sio.Event) { e.Socket.Disconnect() })
		n.OnUnhandled(func(_ context.Context, e *sio.Event) { _ = e.Socket.Emit(e.Name, e.Attachments) })
		n.OnConnect(func(context.Context, *sio.Socket) { connected++ })
		n.OnDisconnect(func(context.Context, *sio.Socket, sio.Reason) { gone++ })
	}
	sid := poll(t, server, http.MethodGet, "", nil)[0]
	sid = strings.Split(sid, `"`)[3]
	for _, body := range bodies {
		poll(t, server, http.MethodPost, sid, body)
	}
	answers := poll(t, server, http.MethodGet, sid, nil)
	poll(t, server, http.MethodGet, sid, nil) // goes away in the middle, so that Shutdown need not wait
	require.NoError(t, server.Shutdown(t.Context(), 0))
	require.Equal(t, connected, gone, "each socket that connects must be told to be gone")
	require.Empty(t, logs.String(), "nothing may panic")
	return answers
}

const separator = "\x1e"

// poll makes one request of a polling client and returns the packets of the answer. It does not wait:
// a GET with nothing to fetch ends the session.
func poll(t *testing.T, server http.Handler, method, sid string, body []byte) []string {
	target := "/socket.io/?EIO=4&transport=polling"
	if sid != "" {
		target += "&sid=" + sid
	}
	ctx, cancel := context.WithCancel(t.Context())
	if sid != "" && method == http.MethodGet {
		cancel()
	}
	defer cancel()
	request := httptest.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, request)
	all, err := io.ReadAll(answer.Result().Body)
	require.NoError(t, err)
	return strings.Split(string(all), separator)
}
