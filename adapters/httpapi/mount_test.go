package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/httpapi"
	"parley/adapters/socketio/sio"
)

// TestSocketIOThroughEcho connects through Echo, whose response writer must let the connection be taken over.
func TestSocketIOThroughEcho(t *testing.T) {
	logs := &logbook{}
	log := slog.New(slog.NewTextHandler(logs, nil))
	io := sio.NewServer(sio.Config{Logger: log})
	io.Of("/").On("echo", func(_ context.Context, e *sio.Event) {
		var v any
		if assert.NoError(t, e.Bind(&v)) {
			assert.NoError(t, e.Ack(v))
		}
	})
	server := httptest.NewServer(httpapi.New(httpapi.Config{
		SocketIO: io, AllowOrigin: func(string) bool { return false }, Dev: signing(built),
	}, log))
	defer server.Close()
	defer func() { assert.NoError(t, io.Shutdown(context.Background(), 0)) }()

	t.Run("a WebSocket connects", func(t *testing.T) {
		conn, answer, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/socket.io/?EIO=4&transport=websocket", nil)
		require.NoError(t, err)
		defer conn.Close()
		defer answer.Body.Close()
		say := func(m string) { require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte(m))) }
		hear := func() string {
			_, data, err := conn.ReadMessage()
			require.NoError(t, err)
			return string(data)
		}
		assert.Contains(t, hear(), `0{"sid":`)
		say("40")
		assert.Contains(t, hear(), `40{"sid":`)
		say(`421["echo","` + strings.Repeat("x", 100_000) + `"]`)
		assert.Len(t, hear(), len(`431[""]`)+100_000)
	})

	t.Run("a client connects by polling, whose requests wait", func(t *testing.T) {
		get := func(query string) string {
			answer, err := http.Get(server.URL + "/socket.io/?EIO=4&transport=polling" + query)
			require.NoError(t, err)
			defer answer.Body.Close()
			assert.Equal(t, http.StatusOK, answer.StatusCode)
			return text(t, answer)
		}
		sid := "&sid=" + strings.Split(get(""), `"`)[3]
		waiting := make(chan string)
		go func() { waiting <- get(sid) }()
		post := func(body string) {
			answer, err := http.Post(server.URL+"/socket.io/?EIO=4&transport=polling"+sid, "text/plain", strings.NewReader(body))
			require.NoError(t, err)
			defer answer.Body.Close()
			assert.Equal(t, "ok", text(t, answer))
		}
		post("40")
		assert.Contains(t, <-waiting, `40{"sid":`)
		post("1")
	})
	http.DefaultClient.CloseIdleConnections()
	assert.Empty(t, logs.String())
}
