// Package legacy lets clients of Socket.IO 1.x and 2.x, which speak Engine.IO v3 and Socket.IO v4, into the same
// conversations as everyone else. Server, the inbound half, is the http.Handler for their requests; Hub, the outbound
// half, is the ports.Broadcaster for their sessions. The events are those of package socketio.
//
// # What the library does
//
// github.com/googollee/go-socket.io is archived, so as little as possible is left to it: its engine (package engineio)
// keeps the sessions, answers pings, moves a session from polling to WebSocket and frames WebSockets. What it lets its
// users replace is our own:
//
//   - Session ids are 144 random bits instead of a counter. They are secrets; other people know a session by another
//     random id.
//   - The polling transport. The library's counts UTF-8 bytes where the protocol counts UTF-16 code units, so that no
//     emoji passes; it sends one packet per request; it spins while a client has begun an upgrade and not finished it;
//     and it leaves requests hanging when their session ends.
//   - Limits around its WebSocket transport: on the size of a message and the time of a write.
//   - One bounded outbox per session for everything that is sent. It is emptied by a waiting poll, or by the one
//     goroutine that writes to the WebSocket. Nobody else waits for a client.
//
// The library's Socket.IO server, which uses the engine, is not used, and so neither are its rooms and its broadcast. In
// it, a single packet that claims more attachments than a slice can hold ends the process; a handler cannot know whether
// the client waits for an ack; an ack may overtake what was sent before it; and one client's writes wait for another's.
// Package sio/packet reads and writes the packets instead.
//
// # What old clients do not get
//
//   - A token in CONNECT: they send no such payload. The token comes in the Authorization header of the handshake,
//     where a bad one is refused with 401, or as the query parameter `token` if that is allowed. A client without a
//     token, or with a bad one in the query, gets an `error` packet with message and code. A browser cannot set headers
//     on a WebSocket: unless the query is allowed, it must begin by polling.
//   - Recovery (`socket.recovered`): the protocol has none. `after` at join works.
//   - A secret engine id: the client itself exposes it as `socket.id`.
//   - JSONP polling. It is refused: every browser in use has CORS.
//   - Binary data from the server. None of the chat's events has any.
//   - The value of MAX_PAYLOAD: the handshake has no field for it.
//
// Text is sent as ASCII with everything else escaped, because clients of 1.x decode whatever comes by polling as UTF-8 a
// second time.
//
// # Concurrency
//
// A session has one goroutine that reads and handles its client's events in order, and on a WebSocket another one that
// writes. Shutdown waits for both. The library adds one during an upgrade, for upgradeTimeout at most, and one for each
// frame while it is read or written.
package legacy
