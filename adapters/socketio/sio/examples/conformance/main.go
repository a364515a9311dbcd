// Conformance serves what the public test suites of the two protocols expect of a server: Engine.IO
// under /engine.io/ and Socket.IO under /socket.io/, at PORT (3000). It is also a tour of the library:
// namespaces, middleware, acks both ways, binary both ways.
//
//	PORT=3000 go run ./adapters/socketio/sio/examples/conformance
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio"
)

var config = engineio.Config{
	PingInterval: 300 * time.Millisecond,
	PingTimeout:  200 * time.Millisecond,
	MaxPayload:   1_000_000,
	AllowOrigin:  func(string) bool { return true },
}

func main() {
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", engineio.NewServer(config, func(s *engineio.Session, _ *engineio.Handshake) engineio.Receiver {
		return echo{s}
	}))
	mux.Handle("/socket.io/", newSocketIO())
	server := &http.Server{
		Addr: "127.0.0.1:" + cmp.Or(os.Getenv("PORT"), "3000"), Handler: mux, ReadHeaderTimeout: 5 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
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
	io := sio.NewServer(sio.Config{Engine: config, ConnectTimeout: time.Second})

	n := io.Of("/")
	n.Use(keepAuth)
	n.OnConnect(greet)
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
	// The other direction: the client is asked, and told what it answered.
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

	custom := io.Of("/custom")
	custom.Use(keepAuth)
	custom.OnConnect(greet)
	return io
}

// keepAuth is middleware: it could refuse, and here only keeps what the client brought.
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

func greet(_ context.Context, s *sio.Socket) { report(s.Emit("auth", s.Value)) }

// anyArgs decodes all arguments into whatever they are, binary data included.
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
