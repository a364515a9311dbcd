package sio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"parley/adapters/socketio/sio"
)

// A whole server. A client needs only io("http://localhost:3000") to connect.
func Example() {
	io := sio.NewServer(sio.Config{})
	n := io.Of("/")
	rooms := n.Rooms()

	n.Use(func(_ context.Context, c *sio.Connect) error { // who may connect
		var auth struct{ Name string }
		if err := json.Unmarshal(c.Auth, &auth); err != nil || auth.Name == "" {
			return &sio.ConnectError{Message: "who are you?"}
		}
		c.Socket.Value = auth.Name
		return nil
	})
	n.On("join", sio.Typed(func(_ context.Context, e *sio.Event, room string) error {
		rooms.Join(e.Socket, room)
		return e.Ack("welcome, " + e.Socket.Value.(string))
	}))
	n.On("say", sio.Typed(func(_ context.Context, e *sio.Event, text string) error {
		return rooms.To(rooms.Of(e.Socket)...).Without(e.Socket).Emit("said", e.Socket.Value, text)
	}))
	n.OnError(func(_ context.Context, e *sio.Event, err error) {
		log.Printf("%s: %v", e.Name, err)
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	server := http.Server{Addr: "localhost:3000", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	// log.Fatal(server.ListenAndServe())

	defer shutdown(io)
	defer server.Close()
	ada, bob := dial(io), dial(io)
	ada.talk(`40{}`, 1)
	ada.talk(`40{"name":"Ada"}`, 1)
	bob.talk(`40{"name":"Bob"}`, 1)
	ada.talk(`420["join","lobby"]`, 1)
	bob.talk(`420["join","lobby"]`, 1)
	ada.talk(`42["say","hello"]`, 0)
	bob.hear(1)
	// Output:
	// 44{"message":"who are you?"}
	// 40{"sid":"…"}
	// 40{"sid":"…"}
	// 430["welcome, Ada"]
	// 430["welcome, Bob"]
	// 42["said","Ada","hello"]
}

// The client gets the error's message and data in its connect_error event.
func ExampleNamespace_Use() {
	io := sio.NewServer(sio.Config{})
	io.Of("/admin").Use(func(_ context.Context, c *sio.Connect) error {
		var auth struct{ Token string }
		if err := json.Unmarshal(c.Auth, &auth); err != nil || auth.Token != "open sesame" {
			return &sio.ConnectError{Message: "no entry", Data: map[string]string{"code": "UNAUTHORIZED"}}
		}
		return nil
	})

	defer shutdown(io)
	client := dial(io)
	client.talk(`40/admin,{"token":"guess"}`, 1)
	client.talk(`40/admin,{"token":"open sesame"}`, 1)
	// Output:
	// 44/admin,{"message":"no entry","data":{"code":"UNAUTHORIZED"}}
	// 40/admin,{"sid":"…"}
}

// A wrapper sees every event of every socket, like a catch-all listener.
func ExampleNamespace_UseEvent() {
	io := sio.NewServer(sio.Config{})
	n := io.Of("/")
	n.UseEvent(func(next sio.Handler) sio.Handler {
		return func(ctx context.Context, e *sio.Event) {
			fmt.Println("heard", e.Name, string(e.Args[0]))
			next(ctx, e)
		}
	})
	n.On("echo", func(_ context.Context, e *sio.Event) { _ = e.Ack(e.Args[0]) })

	defer shutdown(io)
	client := dial(io)
	client.talk(`40`, 1)
	client.talk(`42["nobody handles this",1]`, 0)
	client.talk(`421["echo",2]`, 1)
	// Output:
	// 40{"sid":"…"}
	// heard nobody handles this 1
	// heard echo 2
	// 431[2]
}

// A typed handler gets its argument decoded. OnError answers for every handler that fails.
func ExampleTyped() {
	type division struct{ A, B int }
	io := sio.NewServer(sio.Config{})
	n := io.Of("/")
	n.On("divide", sio.Typed(func(_ context.Context, e *sio.Event, d division) error {
		if d.B == 0 {
			return errors.New("division by zero")
		}
		return e.Ack(d.A / d.B)
	}))
	n.OnError(func(_ context.Context, e *sio.Event, err error) {
		_ = e.Ack(map[string]string{"error": err.Error()})
	})

	defer shutdown(io)
	client := dial(io)
	client.talk(`40`, 1)
	client.talk(`421["divide",{"a":6,"b":2}]`, 1)
	client.talk(`422["divide",{"a":6}]`, 1)
	// Output:
	// 40{"sid":"…"}
	// 431[3]
	// 432[{"error":"division by zero"}]
}

// Binary data may be anywhere in the arguments, in both directions.
func ExampleBinary() {
	type file struct {
		Name string     `json:"name"`
		Data sio.Binary `json:"data"`
	}
	io := sio.NewServer(sio.Config{})
	io.Of("/").On("upload", sio.Typed(func(_ context.Context, e *sio.Event, f file) error {
		return e.Ack(file{Name: "copy of " + f.Name, Data: f.Data})
	}))

	defer shutdown(io)
	client := dial(io)
	client.talk(`40`, 1)
	client.talk(`451-7["upload",{"name":"a.png","data":{"_placeholder":true,"num":0}}]`, 0)
	client.sendBinary([]byte{1, 2, 3})
	client.hear(2)
	// Output:
	// 40{"sid":"…"}
	// 461-7[{"name":"copy of a.png","data":{"_placeholder":true,"num":0}}]
	// "\x01\x02\x03"
}
