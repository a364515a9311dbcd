// Package sio is a server for Socket.IO v5, the protocol of socket.io-client 3.x and 4.x, on top of
// package engineio. It knows nothing of chat and can be used alone.
//
// # Usage
//
// Handlers belong to a namespace, not to each socket: register them before the server serves.
//
//	io := sio.NewServer(sio.Config{})
//	chat := io.Of("/")
//	chat.Use(func(ctx context.Context, c *sio.Connect) error { return authenticate(c.Auth) })
//	chat.On("hello", func(ctx context.Context, e *sio.Event) {
//		var name string
//		if err := e.Bind(&name); err != nil {
//			return
//		}
//		e.Ack("hello, " + name)
//	})
//	http.Handle("/socket.io/", io)
//
// Rooms are asked for by Namespace.Rooms; a namespace that has none keeps no account of its sockets.
// Middleware of events and listeners to all of them are both UseEvent. There is no listener to what is
// sent: that passes through the application's own calls.
//
// # Ends
//
// What OnDisconnect hears, what the client sees as its reason, whether it reconnects by itself and whether
// it may then recover, with Config.Recovery:
//
//	Socket.Disconnect     server namespace disconnect   io server disconnect   no
//	Socket.DisconnectAll  server namespace disconnect   io server disconnect   no
//	Socket.Close          forced close                  transport close        yes, recovers
//	protocol violated     forced close                  transport close        yes, recovers
//	handler panicked      forced close                  transport close        yes, recovers
//	client disconnects    client namespace disconnect   io client disconnect   no
//	connection lost       transport close or error      transport close        yes, recovers
//	heartbeat unanswered  ping timeout                  ping timeout           yes, recovers
//	client reads slowly   slow client                   transport close        yes, recovers
//	no engine packet      parse error                   transport close        yes, anew
//	Server.Shutdown       server shutting down          transport close        yes, anew
//
// # Parsers
//
// Clients that are given socket.io-msgpack-parser are served too if Config.Msgpack says so. A connection
// speaks what its first packet is written in; handlers need not know. What is sent to many is encoded once
// for each parser that any of them has.
//
// # Concurrency
//
// Everything exported is safe for concurrent use, but for the registration of handlers, which must be
// done before the server serves. What happens to one socket is told in order and never at the same
// time: its middleware, OnConnect, its events, OnDisconnect. A slow handler holds up its own socket's
// events and nobody else's.
//
// Emitting only enqueues: it never blocks and does no I/O, so it may be done with locks held. Packets
// leave each socket in the order they were emitted.
//
// # Limits
//
// Beside those of engineio: a connection that is in no namespace for Config.ConnectTimeout is closed. A
// binary event may have 10 attachments, each as large as a message may be, with at most a minute from
// one to the next; an event 1,023 arguments. A connection may be in 64 namespaces beside "/", and a socket owe
// 1,000 acks. Whatever breaks the protocol closes the connection.
//
// The protocol is that of https://socket.io/docs/v4/socket-io-protocol/, cited as [protocol]; where it
// is silent the behaviour is that of the reference server, socket.io 4.8.
package sio
