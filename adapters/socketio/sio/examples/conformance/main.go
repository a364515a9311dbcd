// Conformance serves what the public test suites of the two protocols expect of a server: Engine.IO under /engine.io/ and
// Socket.IO under /socket.io/, at PORT (3000; 0 takes a free one). It is also a tour of the library: namespaces by name and by rule, middleware, acks and binary data in both directions, rooms, the server's
// ways to disconnect, and both of the client's parsers. The heartbeat is as fast as those suites expect it; PING_INTERVAL
// and PING_TIMEOUT make it slower.
//
//	PORT=3000 go run ./adapters/socketio/sio/examples/conformance
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio"
)

var config = engineio.Config{
	PingInterval: setting("PING_INTERVAL", 300*time.Millisecond),
	PingTimeout:  setting("PING_TIMEOUT", 200*time.Millisecond),
	MaxPayload:   1_000_000,
	AllowOrigin:  func(string) bool { return true },
}

func main() {
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", engineio.NewServer(config, func(s *engineio.Session, _ *engineio.Handshake) engineio.Receiver {
		return echo{s}
	}))
	mux.Handle("/socket.io/", newSocketIO())
	listener, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "3000"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.Serve(listener))
}

// setting reads a duration from the environment.
func setting(name string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(os.Getenv(name)); err == nil {
		return d
	}
	return otherwise
}

// echo sends every Engine.IO message back.
type echo struct{ session *engineio.Session }

func (e echo) Receive(data []byte, binary bool) {
	buf := append(make([]byte, engineio.Headroom, engineio.Headroom+len(data)), data...)
	if binary {
		e.session.Send(engineio.BinaryPacket(buf))
		return
	}
	e.session.Send(engineio.TextPacket(buf))
}

func (e echo) Closed(engineio.CloseReason) {}

func newSocketIO() *sio.Server {
	io := sio.NewServer(sio.Config{Engine: config, ConnectTimeout: time.Second, Msgpack: true})
	serve(io.Of("/"))
	serve(io.Of("/custom"))
	// Any name with this prefix, unless the client says that it is unwelcome.
	serve(io.OfMatching(func(name string, auth json.RawMessage) bool {
		return strings.HasPrefix(name, "/dynamic-") && !strings.Contains(string(auth), "unwelcome")
	}))
	return io
}

func serve(n *sio.Namespace) {
	n.Use(keepAuth)
	n.OnConnect(func(_ context.Context, s *sio.Socket) { report(s.Emit("auth", s.Value)) })
	n.On("message", func(_ context.Context, e *sio.Event) {
		if args, err := anyArgs(e); err == nil {
			report(e.Socket.Emit("message-back", args...))
		}
	})
	n.On("message-with-ack", func(_ context.Context, e *sio.Event) {
		if args, err := anyArgs(e); err == nil {
			report(e.Ack(args...))
		}
	})
	// The other direction: the server asks the client for an ack, and sends it what it answered.
	n.On("ask-me", func(_ context.Context, e *sio.Event) {
		s := e.Socket
		report(s.Ask(time.Second, func(r *sio.Reply, err error) {
			var answer any
			if err == nil {
				err = r.Bind(&answer)
			}
			if err != nil {
				report(s.Emit("you-failed", err.Error()))
				return
			}
			report(s.Emit("you-said", answer))
		}, "question", "what do you say?", sio.Binary{1, 2, 3}))
	})
	n.On("leave-me", func(_ context.Context, e *sio.Event) { e.Socket.Disconnect() })
	n.On("leave-me-alone", func(_ context.Context, e *sio.Event) { e.Socket.DisconnectAll() })
	n.On("drop-me", func(_ context.Context, e *sio.Event) { e.Socket.Close() })
	serveRooms(n)
}

// said is the payload of "say" and "vote".
type said struct {
	Room string `json:"room"`
	What any    `json:"what"`
}

func serveRooms(n *sio.Namespace) {
	rooms := n.Rooms()
	n.On("join", sio.Typed(func(_ context.Context, e *sio.Event, room string) error {
		return e.Ack(rooms.Join(e.Socket, room))
	}))
	n.On("leave", sio.Typed(func(_ context.Context, e *sio.Event, room string) error {
		rooms.Leave(e.Socket, room)
		return e.Ack(true)
	}))
	n.On("say", sio.Typed(func(_ context.Context, e *sio.Event, s said) error {
		return rooms.To(s.Room).In(e.Socket.Namespace().Name()).Without(e.Socket).Emit("said", s.What)
	}))
	n.On("vote", sio.Typed(func(_ context.Context, e *sio.Event, s said) error {
		return rooms.To(s.Room).In(e.Socket.Namespace().Name()).Gather(time.Second, func(answers []sio.Answer) {
			votes := make([]any, 0, len(answers))
			for _, a := range answers {
				var vote any
				if a.Err == nil && a.Reply.Bind(&vote) == nil {
					votes = append(votes, vote)
				}
			}
			report(e.Ack(votes))
		}, "vote", s.What)
	}))
}

// keepAuth is middleware that keeps the client's auth payload; it refuses only one that is not an object.
func keepAuth(_ context.Context, c *sio.Connect) error {
	auth := map[string]any{}
	if len(c.Auth) > 0 {
		if err := json.Unmarshal(c.Auth, &auth); err != nil {
			return &sio.ConnectError{Message: "auth must be an object"}
		}
	}
	c.Socket.Value = auth
	return nil
}

// anyArgs decodes all arguments, whatever their types, binary data included.
func anyArgs(e *sio.Event) ([]any, error) {
	args, into := make([]any, len(e.Args)), make([]any, len(e.Args))
	for i := range args {
		into[i] = &args[i]
	}
	return args, e.Bind(into...)
}

func report(err error) {
	if err != nil {
		log.Print(err)
	}
}
