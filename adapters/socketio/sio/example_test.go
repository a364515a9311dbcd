package sio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/gorilla/websocket"

	"parley/adapters/socketio/sio"
)

// A server that asks who is there, answers and broadcasts; and what goes over the wire when a client such
// as socket.io-client talks to it.
func Example() {
	io := sio.NewServer(sio.Config{})
	chat := io.Of("/")
	chat.Use(func(_ context.Context, c *sio.Connect) error {
		var auth struct{ Token string }
		if err := json.Unmarshal(c.Auth, &auth); err != nil || auth.Token != "open sesame" {
			return &sio.ConnectError{Message: "who are you?", Data: map[string]string{"code": "UNAUTHORIZED"}}
		}
		return nil
	})
	chat.On("hello", func(_ context.Context, e *sio.Event) {
		var name string
		if err := e.Bind(&name); err != nil {
			return
		}
		_ = e.Ack("hello, " + name)
		_ = e.Socket.Emit("picture", []byte{1, 2, 3})
	})

	var mu sync.Mutex
	room := make(map[*sio.Socket]bool)
	chat.OnConnect(func(_ context.Context, s *sio.Socket) {
		mu.Lock()
		defer mu.Unlock()
		room[s] = true
	})
	chat.On("shout", func(_ context.Context, e *sio.Event) {
		var what string
		if err := e.Bind(&what); err != nil {
			return
		}
		news, err := sio.Prepare("/", "shouted", map[string]string{"what": what}) // encoded once for all
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		sio.Multicast(maps.Keys(room), news)
	})
	gone := make(chan sio.Reason, 1)
	chat.OnDisconnect(func(_ context.Context, s *sio.Socket, reason sio.Reason) {
		mu.Lock()
		defer mu.Unlock()
		delete(room, s)
		gone <- reason
	})

	server := httptest.NewServer(io)
	defer server.Close()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	say := func(packet string) { _ = conn.WriteMessage(websocket.TextMessage, []byte(packet)) }
	hear := func() string {
		_, data, err := conn.ReadMessage()
		if err != nil {
			return err.Error()
		}
		return string(data)
	}

	fmt.Println(hear()[:8])
	say(`40{"token":"guess"}`)
	fmt.Println(hear())
	say(`40{"token":"open sesame"}`)
	fmt.Println(hear()[:9])
	say(`420["hello","Ada"]`)
	fmt.Println(hear())
	fmt.Println(hear())
	fmt.Printf("%q\n", hear())
	say(`42["shout","dinner!"]`)
	fmt.Println(hear())
	say(`41`)
	fmt.Println(<-gone)
	_ = conn.Close()
	_ = io.Shutdown(context.Background(), 0)

	// Output:
	// 0{"sid":
	// 44{"message":"who are you?","data":{"code":"UNAUTHORIZED"}}
	// 40{"sid":
	// 430["hello, Ada"]
	// 451-["picture",{"_placeholder":true,"num":0}]
	// "\x01\x02\x03"
	// 42["shouted",{"what":"dinner!"}]
	// client namespace disconnect
}
