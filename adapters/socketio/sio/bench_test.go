package sio_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

// BenchmarkEvent measures one event over a TCP connection: received, handled with one bound argument, acknowledged, and
// the ack read by the client, which allocates nothing.
func BenchmarkEvent(b *testing.B) {
	server := sio.NewServer(sio.Config{})
	server.Of("/").On("add", func(_ context.Context, e *sio.Event) {
		var n int
		if e.Bind(&n) == nil {
			_ = e.Ack(n + 1)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	web := &http.Server{Handler: server, ReadHeaderTimeout: time.Minute}
	go func() { _ = web.Serve(listener) }()
	b.Cleanup(func() {
		_ = server.Shutdown(context.Background(), 0)
		_ = web.Close()
	})
	conn, resp, err := websocket.DefaultDialer.Dial("ws://"+listener.Addr().String()+"/socket.io/?EIO=4&transport=websocket", nil)
	require.NoError(b, err)
	defer conn.Close()
	_ = resp.Body.Close()
	require.NoError(b, conn.WriteMessage(websocket.TextMessage, []byte("40")))
	for range 2 {
		_, _, err = conn.ReadMessage()
		require.NoError(b, err)
	}
	raw := conn.UnderlyingConn()
	event := `4217["add",41]`
	frame := append([]byte{0x81, 0x80 | byte(len(event)), 0, 0, 0, 0}, event...)
	const want = "\x81\x084317[42]"
	answer := make([]byte, len(want))

	b.ReportAllocs()
	for b.Loop() {
		if _, err := raw.Write(frame); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(raw, answer); err != nil {
			b.Fatal(err)
		}
		if string(answer) != want {
			b.Fatalf("%q", answer)
		}
	}
}

// BenchmarkPrepare measures what a broadcast costs once, however many it is sent to.
func BenchmarkPrepare(b *testing.B) {
	payload := struct {
		UserID  string `json:"userId"`
		Content string `json:"content"`
	}{"alice", "Good morning, everyone."}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sio.Prepare("/", "message", payload); err != nil {
			b.Fatal(err)
		}
	}
}
