package sio_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio"
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
		var logs logbook
		server := sio.NewServer(sio.Config{
			Engine: engineio.Config{WriteTimeout: 10 * time.Millisecond}, // how long Shutdown waits for a last poll
			Logger: slog.New(slog.NewTextHandler(&logs, nil)),
		})
		connected, gone := 0, 0
		for _, name := range []string{"/", "/a"} {
			n := server.Of(name)
			echo(n)
			n.On("kick", func(_ context.Context, e *sio.Event) { e.Socket.Disconnect() })
			n.OnUnhandled(func(_ context.Context, e *sio.Event) {
				_ = e.Socket.Emit(e.Name, e.Attachments)
			})
			n.OnConnect(func(context.Context, *sio.Socket) { connected++ })
			n.OnDisconnect(func(context.Context, *sio.Socket, sio.Reason) { gone++ })
		}
		sid := poll(t, server, http.MethodGet, "", nil)[0]
		sid = strings.Split(sid, `"`)[3]

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
		poll(t, server, http.MethodPost, sid, body)
		poll(t, server, http.MethodPost, sid, []byte("40/nowhere,")) // something to answer, if all is well
		var answers packet.Assembler
		for _, m := range poll(t, server, http.MethodGet, sid, nil) {
			switch {
			case strings.HasPrefix(m, "4"):
				_, _, err := answers.Text([]byte(m[1:]))
				require.NoError(t, err, "the server broke the protocol: %q", m)
			case strings.HasPrefix(m, "b"):
				data, err := base64.StdEncoding.DecodeString(m[1:])
				require.NoError(t, err)
				_, _, err = answers.Binary(data)
				require.NoError(t, err, "an attachment without its event")
			}
		}
		require.False(t, answers.Pending())
		poll(t, server, http.MethodGet, sid, nil) // goes away in the middle, so that Shutdown need not wait
		require.NoError(t, server.Shutdown(t.Context(), 0))
		require.Equal(t, connected, gone, "each socket that connects must be told to be gone")
		require.Empty(t, logs.String(), "nothing may panic")
	})
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
