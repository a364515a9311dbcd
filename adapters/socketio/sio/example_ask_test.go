package sio_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"parley/adapters/socketio/sio"
)

// An ack may be sent after the handler has returned, so that a slow answer does not delay the client's other events.
func ExampleEvent_Ack() {
	io := sio.NewServer(sio.Config{})
	io.Of("/").On("slow", func(_ context.Context, e *sio.Event) {
		var question string
		if err := e.Bind(&question); err != nil {
			return
		}
		go func() { _ = e.Ack("answer to " + question) }()
	})

	defer shutdown(io)
	client := dial(io)
	client.talk(`40`, 1)
	client.talk(`421["slow","everything"]`, 1)
	// Output:
	// 40{"sid":"…"}
	// 431["answer to everything"]
}

// The server asks the client, and gives up after a timeout.
func ExampleSocket_Ask() {
	io := sio.NewServer(sio.Config{})
	done := make(chan string, 1)
	io.Of("/").OnConnect(func(_ context.Context, s *sio.Socket) {
		_ = s.Ask(10*time.Millisecond, func(_ *sio.Reply, err error) { done <- err.Error() }, "are you there?")
	})

	defer shutdown(io)
	client := dial(io)
	client.talk(`40`, 1)
	fmt.Println(<-done)
	// Output:
	// 40{"sid":"…"}
	// sio: no ack in time
}

// The server asks many sockets at once, however they were chosen. With Gather it would get all answers in one call.
func ExampleAskAll() {
	io := sio.NewServer(sio.Config{})
	n := io.Of("/")
	heard := make(chan error, 1)
	n.On("ask everyone", func(_ context.Context, e *sio.Event) {
		everyone := slices.Values([]*sio.Socket{e.Socket})
		_ = sio.AskAll("/", everyone, time.Minute, func(_ *sio.Socket, _ *sio.Reply, err error) {
			heard <- err
		}, "ready?")
		e.Socket.Disconnect()
	})

	defer shutdown(io)
	client := dial(io)
	client.talk(`40`, 1)
	client.talk(`42["ask everyone"]`, 0)
	fmt.Println(<-heard)
	// Output:
	// 40{"sid":"…"}
	// sio: disconnected before the ack
}

// The server asks everyone in a room, and gets all answers in one call.
func ExampleAudience_Gather() {
	io := sio.NewServer(sio.Config{})
	n := io.Of("/")
	rooms := n.Rooms()
	n.On("join", func(_ context.Context, e *sio.Event) { _ = e.Ack(rooms.Join(e.Socket, "voters")) })

	defer shutdown(io)
	client := dial(io)
	client.talk(`40`, 1)
	client.talk(`420["join"]`, 1)
	done := make(chan bool)
	_ = rooms.To("voters").Gather(20*time.Millisecond, func(answers []sio.Answer) {
		for _, a := range answers {
			fmt.Println(a.Err)
		}
		close(done)
	}, "yes or no?")
	<-done
	// Output:
	// 40{"sid":"…"}
	// 430[true]
	// sio: no ack in time
}
