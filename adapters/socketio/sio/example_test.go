package sio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"parley/adapters/socketio/sio"
)

// A whole server. Clients connect with io("http://localhost:3000") and nothing else.
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

// An error with data is what the client's connect_error gets.
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

// A typed handler gets its argument decoded; OnError answers for all that fail.
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

// The server asks the client, and waits no longer than it says.
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

// An ack may wait for something else: it needs no handler to hold up its socket.
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

// One question to many sockets, however they were found; Gather is AskAll with one answer for all.
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

// Binary data may stand anywhere in the arguments, both ways.
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

// A question to a room, and all answers at once.
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

// A wrapper sees every event of every socket: a catch-all listener.
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

// A client that lost its connection comes back under its id, with its rooms and what it has missed. The
// official client does so by itself: its socket.recovered is true.
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

// wire is a client in the examples: it shows what goes over the wire.
type wire struct{ conn *websocket.Conn }

var (
	servers = map[*sio.Server]*httptest.Server{}
	clients = map[*sio.Server][]wire{}
)

func dial(io *sio.Server) wire {
	if servers[io] == nil {
		servers[io] = httptest.NewServer(io)
	}
	conn, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(servers[io].URL, "http")+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
	_, _, _ = conn.ReadMessage() // the engine's handshake
	w := wire{conn}
	clients[io] = append(clients[io], w)
	return w
}

func shutdown(io *sio.Server) {
	for _, w := range clients[io] {
		w.close()
	}
	delete(clients, io)
	_ = io.Shutdown(context.Background(), 0)
	servers[io].Close()
	delete(servers, io)
}

// talk sends a packet and prints so many messages of the server.
func (w wire) talk(packet string, answers int) {
	_ = w.conn.WriteMessage(websocket.TextMessage, []byte(packet))
	w.hear(answers)
}

func (w wire) sendBinary(data []byte) { _ = w.conn.WriteMessage(websocket.BinaryMessage, data) }

func (w wire) close() { _ = w.conn.Close() }

var random = regexp.MustCompile(`("[sp]id":"|,")(?:[A-Za-z0-9_-]{20}|[0-9a-z]{10})(")`)

func (w wire) hear(n int) {
	for range n {
		kind, data, err := w.conn.ReadMessage()
		text := string(data)
		if err != nil {
			text = err.Error()
		} else if kind == websocket.BinaryMessage {
			text = hiddenID.ReplaceAllString(fmt.Sprintf("%q", data), `xb4…\xa3nsp`)
		}
		fmt.Println(random.ReplaceAllString(text, "${1}…${2}"))
	}
}

var hiddenID = regexp.MustCompile(`xb4[A-Za-z0-9_-]{20}\\xa3nsp`)

// exchange sends CONNECT and returns the pid in the answer.
func (w wire) exchange(packet string) string {
	_ = w.conn.WriteMessage(websocket.TextMessage, []byte(packet))
	_, data, _ := w.conn.ReadMessage()
	var answer struct{ PID string }
	_ = json.Unmarshal(data[2:], &answer)
	return answer.PID
}
