package websocket_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
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

// echo sends back what it receives, as a server built on this package would.
type echo struct {
	conn net.Conn
	out  []byte
}

func (e *echo) Message(op websocket.Opcode, data []byte) error {
	e.out = append(websocket.AppendHeader(e.out[:0], op, len(data)), data...)
	_, err := e.conn.Write(e.out)
	return err
}

func (e *echo) Control(op websocket.Opcode, data []byte) error {
	switch op {
	case websocket.OpPing:
		return e.Message(websocket.OpPong, data)
	case websocket.OpClose:
		return e.Message(websocket.OpClose, data)
	}
	return nil
}

// serve upgrades and echoes, reading size bytes at a time, until the client closes or violates the protocol.
func serve(size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, early, err := websocket.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		e, d := &echo{conn: conn}, &websocket.Decoder{MaxMessage: 200_000}
		err = d.Feed(early, e)
		for buf := make([]byte, size); err == nil; {
			n, failure := conn.Read(buf)
			if failure != nil {
				return
			}
			err = d.Feed(buf[:n], e)
		}
		if violation := (*websocket.CloseError)(nil); errors.As(err, &violation) {
			_, _ = conn.Write(websocket.AppendClose(nil, violation.Code, violation.Reason))
			// Unread input would reset the connection, and the reset could overtake the Close frame.
			_, _ = io.Copy(io.Discard, conn)
		}
	}
}

// dial connects gorilla's client. writeBuffer is the size of its fragments, 0 for the default.
func dial(t *testing.T, readSize, writeBuffer int) *gorilla.Conn {
	t.Helper()
	server := httptest.NewServer(serve(readSize))
	t.Cleanup(server.Close)
	dialer := gorilla.Dialer{WriteBufferSize: writeBuffer, EnableCompression: true, Subprotocols: []string{"chat", "talk"}}
	conn, resp, err := dialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_ = resp.Body.Close()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	require.Equal(t, "chat", conn.Subprotocol())
	require.Empty(t, resp.Header["Sec-Websocket-Extensions"])
	return conn
}

func TestPeer(t *testing.T) {
	for _, readSize := range []int{1, 7, 512, 4096, 1 << 17} {
		t.Run(fmt.Sprintf("messages of all sizes come back, read %d bytes at a time", readSize), func(t *testing.T) {
			conn := dial(t, readSize, 0)
			for _, size := range []int{0, 1, 125, 126, 127, 511, 512, 4096, 65_535, 65_536, 100_000} {
				if readSize == 1 && size > 4096 {
					continue // one system call per byte takes long
				}
				for _, kind := range []int{gorilla.TextMessage, gorilla.BinaryMessage} {
					sent := bytes.Repeat([]byte("é"), (size+1)/2)
					require.NoError(t, conn.WriteMessage(kind, sent))
					gotKind, got, err := conn.ReadMessage()
					require.NoError(t, err)
					require.Equal(t, kind, gotKind)
					require.True(t, bytes.Equal(sent, got), "%d bytes", size)
				}
			}
		})

		t.Run(fmt.Sprintf("fragments with a ping between them come back as one message, read %d bytes at a time", readSize), func(t *testing.T) {
			conn := dial(t, readSize, 64)
			pong := ""
			conn.SetPongHandler(func(data string) error { pong = data; return nil })
			w, err := conn.NextWriter(gorilla.TextMessage)
			require.NoError(t, err)
			sent := strings.Repeat("0123456789", 100)
			for i := range 100 {
				_, err := w.Write([]byte(sent[i*10 : i*10+10]))
				require.NoError(t, err)
				if i == 50 {
					require.NoError(t, conn.WriteControl(gorilla.PingMessage, []byte("between"), time.Now().Add(time.Minute)))
				}
			}
			require.NoError(t, w.Close())
			_, got, err := conn.ReadMessage()
			require.NoError(t, err)
			assert.Equal(t, sent, string(got))
			assert.Equal(t, "between", pong)
		})
	}

	t.Run("a close is answered with the same code and reason", func(t *testing.T) {
		conn := dial(t, 512, 0)
		require.NoError(t, conn.WriteMessage(gorilla.CloseMessage, gorilla.FormatCloseMessage(4001, "enough")))
		_, _, err := conn.ReadMessage()
		assert.Equal(t, &gorilla.CloseError{Code: 4001, Text: "enough"}, err)
	})

	t.Run("a violation is answered with its code", func(t *testing.T) {
		conn := dial(t, 512, 0)
		require.NoError(t, conn.WriteMessage(gorilla.TextMessage, []byte("\xff")))
		_, _, err := conn.ReadMessage()
		assert.Equal(t, &gorilla.CloseError{Code: gorilla.CloseInvalidFramePayloadData, Text: "text message is not UTF-8"}, err)
	})

	t.Run("a message over the limit is answered with 1009", func(t *testing.T) {
		conn := dial(t, 512, 300_000)
		require.NoError(t, conn.WriteMessage(gorilla.BinaryMessage, make([]byte, 200_001)))
		_, _, err := conn.ReadMessage()
		assert.Equal(t, &gorilla.CloseError{Code: gorilla.CloseMessageTooBig, Text: "message is too big"}, err)
	})
}
