package sio_test

import (
	"context"
	"fmt"
	"time"

	"parley/adapters/socketio/sio"
)

// A client that lost its connection comes back under its old id, in its rooms, and gets what it missed. The official
// client does so by itself; its socket.recovered is then true.
func ExampleConfig_recovery() {
	io := sio.NewServer(sio.Config{Recovery: 2 * time.Minute})
	io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
		fmt.Println("recovering:", c.Recovering) // the place to check the token again
		return nil
	})
	gone := make(chan *sio.Socket, 1)
	io.Of("/").OnDisconnect(func(_ context.Context, s *sio.Socket, _ sio.Reason) { gone <- s })

	defer shutdown(io)
	client := dial(io)
	pid := client.exchange(`40`)
	client.close()
	_ = (<-gone).Emit("news", "what it missed")
	again := dial(io)
	again.talk(`40{"pid":"`+pid+`"}`, 2)
	// Output:
	// recovering: false
	// recovering: true
	// 40{"sid":"…","pid":"…"}
	// 42["news","what it missed","…"]
}

// Clients with socket.io-msgpack-parser and clients without it share everything.
func ExampleConfig_msgpack() {
	io := sio.NewServer(sio.Config{Msgpack: true})
	io.Of("/").On("echo", func(_ context.Context, e *sio.Event) { _ = e.Ack(e.Args[0]) })

	defer shutdown(io)
	client := dial(io)
	client.sendBinary([]byte("\x82\xa4type\x00\xa3nsp\xa1/"))
	client.hear(1)
	client.sendBinary([]byte("\x84\xa4type\x02\xa4data\x92\xa4echo\x07\xa2id\x01\xa3nsp\xa1/"))
	client.hear(1)
	// Output:
	// "\x83\xa4type\x00\xa4data\x81\xa3sid\xb4…\xa3nsp\xa1/"
	// "\x84\xa4type\x03\xa4data\x91\a\xa2id\x01\xa3nsp\xa1/"
}
