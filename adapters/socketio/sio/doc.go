// Package sio is a server for Socket.IO v5, the protocol of socket.io-client 3.x and 4.x. It runs on top of package
// engineio, knows nothing of chat and can be used on its own.
//
// # Usage
//
// A [Server] is an http.Handler. Handlers are registered once per namespace, not once per socket, and before the
// server starts to serve:
//
//	io := sio.NewServer(sio.Config{})
//	n := io.Of("/")
//	n.Use(func(ctx context.Context, c *sio.Connect) error { return authenticate(c.Auth) })
//	n.On("hello", func(ctx context.Context, e *sio.Event) {
//		var name string
//		if err := e.Bind(&name); err != nil {
//			return
//		}
//		e.Ack("hello, " + name)
//	})
//	http.Handle("/socket.io/", io)
//
// What the Node.js server offers is found here:
//
//	io.of("/admin"); by pattern            Server.Of; Server.OfMatching
//	namespace.use                          Namespace.Use
//	namespace.on("connection")             Namespace.OnConnect
//	socket.on("event")                     Namespace.On, Typed
//	socket.use, socket.onAny               Namespace.UseEvent
//	socket.on("disconnect")                Namespace.OnDisconnect
//	socket.handshake.auth                  Connect.Auth
//	socket.handshake.headers               Connect.Value, by engineio.Config.Authorize
//	socket.data                            Socket.Value
//	an event's callback                    Event.Ack
//	socket.emit, socket.volatile.emit      Socket.Emit, Socket.EmitVolatile
//	socket.timeout(…).emit(…, callback)    Socket.Ask
//	socket.join, leave, rooms              Rooms.Join, Leave, Of
//	io.to("a").except("b").emit            Rooms.To, Audience.Except, Audience.Emit
//	socket.to("a").emit                    Rooms.To, Audience.Without, Audience.Emit
//	io.timeout(…).emit(…, callback)        Audience.Gather; one call per answer: Audience.Ask
//	fetchSockets, socketsJoin, …Leave      Audience.Sockets, Join, Leave
//	namespace.sockets.get(id)              Rooms.Find
//	socket.disconnect(), …(true)           Socket.Disconnect, Socket.DisconnectAll
//	disconnectSockets                      Audience.Disconnect
//	connectionStateRecovery, recovered     Config.Recovery, Socket.Recovered
//	parser: socket.io-msgpack-parser       Config.Msgpack
//	io.close                               Server.Shutdown
//
// Rooms exist only in namespaces for which [Namespace.Rooms] was called; the others keep no list of their sockets. A
// socket is not in a room named after its own id: use [Rooms.Find]. There is no listener for outgoing events
// (onAnyOutgoing), because all of them pass through calls that the application makes itself. For events that go to
// sockets chosen without rooms, encode once with [Prepare] and send with [Multicast].
//
// # How sockets end
//
// The second column is the reason given to OnDisconnect, the third the one that the client sees. A client that
// reconnects by itself "recovers" if Config.Recovery allows it; "anew" means that it gets a new id.
//
//	what happens          on the server                 at the client          reconnects
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
// With Config.Msgpack, clients that use socket.io-msgpack-parser are served too. The first packet of a connection
// decides which parser the connection uses; handlers need not know. An event to many sockets is encoded once for
// each parser in use among them.
//
// # Concurrency
//
// Everything exported is safe for concurrent use, except the registration of handlers, which must be done before the
// server serves. The calls for one socket come in order and never overlap: its middleware, OnConnect, its event
// handlers, OnDisconnect. A slow handler delays the other events of its connection and nobody else's.
//
// Emitting only enqueues: it never blocks and does no I/O, so it may be done with locks held. Packets leave each
// socket in the order in which they were emitted.
//
// # Limits
//
// Besides the limits of engineio: a connection that is in no namespace for Config.ConnectTimeout is closed. An event
// has at most 1,023 arguments. A binary event has at most 10 attachments, each no larger than a message may be, and
// at most a minute may pass from one to the next. A connection may be in 64 namespaces besides "/", and a socket may
// owe 1,000 acks. Any violation of the protocol closes the connection.
//
// The protocol is https://socket.io/docs/v4/socket-io-protocol/, cited as [protocol]; where it is silent, the
// behaviour is that of the reference server, socket.io 4.8.
package sio
