package websocket_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio/websocket"
)

// squash is an echo that compresses its answers.
type squash struct{ echo }

func (s *squash) Message(op websocket.Opcode, data []byte) error {
	frame, ok := websocket.AppendDeflated(nil, op, data)
	if !ok {
		return s.echo.Message(op, data)
	}
	_, err := s.conn.Write(frame)
	return err
}

// dialDeflate connects gorilla's client, which compresses what it sends. broken receives the error that ends the
// server's reading.
func dialDeflate(t *testing.T, broken chan<- error) *gorilla.Conn {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o, refusal := websocket.Accept(w, r, nil, true)
		if !assert.Nil(t, refusal) || !assert.NoError(t, o.Answer()) {
			return
		}
		conn := o.Conn
		defer conn.Close()
		s, d := &squash{echo{conn: conn}}, &websocket.Decoder{MaxMessage: 200_000, Deflate: o.Largest > 0}
		err := d.Feed(o.Early, s)
		for buf := make([]byte, 777); err == nil; {
			n, failure := conn.Read(buf)
			if failure != nil {
				return
			}
			err = d.Feed(buf[:n], s)
		}
		broken <- err
	}))
	t.Cleanup(server.Close)
	dialer := gorilla.Dialer{EnableCompression: true, WriteBufferSize: 300}
	conn, resp, err := dialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_ = resp.Body.Close()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	require.Equal(t, agreed, resp.Header.Get("Sec-WebSocket-Extensions"))
	return conn
}

func TestPeer_Deflate(t *testing.T) {
	t.Run("messages of all sizes come back", func(t *testing.T) {
		conn := dialDeflate(t, make(chan error, 1))
		for _, level := range []int{-2, 1, 9} {
			require.NoError(t, conn.SetCompressionLevel(level))
			for _, size := range []int{0, 1, 125, 126, 1024, 65_535, 65_536, 200_000} {
				sent := bytes.Repeat([]byte("é, "), (size+2)/3)[:size/3*3]
				require.NoError(t, conn.WriteMessage(gorilla.TextMessage, sent))
				kind, got, err := conn.ReadMessage()
				require.NoError(t, err)
				require.Equal(t, gorilla.TextMessage, kind)
				require.True(t, bytes.Equal(sent, got), "%d bytes at level %d", size, level)
			}
		}
	})

	t.Run("a message that inflates beyond the limit is refused", func(t *testing.T) {
		broken := make(chan error, 1)
		conn := dialDeflate(t, broken)
		require.NoError(t, conn.WriteMessage(gorilla.BinaryMessage, make([]byte, 200_001)))
		assert.Equal(t, "1009", closeCode(<-broken))
	})
}
