// Package legacy lets clients of Socket.IO 1.x and 2.x, which speak Engine.IO v3 and Socket.IO v4, into
// the same conversations as everyone else: Server, inbound, is the http.Handler for their requests, and
// Hub, outbound, the ports.Broadcaster for their sessions. The events are those of package socketio.
//
// # What is taken of the library
//
// github.com/googollee/go-socket.io is archived, so as little as possible is left to it: the engine
// (package engineio) keeps the sessions, answers pings, moves a session from polling to WebSocket and
// frames WebSockets. What it plugs in by interface is ours:
//
//   - Session ids are 144 random bits instead of a counter. They are secrets; other people know a
//     session by another random id.
//   - The polling transport. The library's counts UTF-8 bytes where the protocol has UTF-16 code units,
//     so that no emoji passes; sends one packet per request; spins while a client has begun an upgrade
//     and not finished it; and leaves requests hanging when their session ends.
//   - Around its WebSocket transport, limits on the size of a message and the time of a write.
//   - All that is sent goes through one bounded outbox per session, which a waiting poll or the one
//     goroutine that writes to the WebSocket empties. Nobody else waits for a client.
//
// Its Socket.IO server, on top of the engine, is not used, and so neither are its rooms and broadcast.
// There a single packet that claims more attachments than a slice can hold ends the process; a handler
// cannot know whether the client waits for an ack; an ack may overtake what was sent before it, and one
// client's writes wait for another's. Package sio/packet reads and writes the packets instead.
//
// # What old clients cannot have
//
//   - A token in CONNECT: they send no such payload. It comes in the Authorization header of the
//     handshake, where a bad one is refused with 401, or as the query parameter `token` if that is
//     allowed. Who brings none, or a bad one in the query, gets an `error` packet with message and code.
//     A page in a browser cannot set a header on a WebSocket: without the query it must begin by polling.
//   - Recovery (`socket.recovered`): the protocol has none. `after` at join works.
//   - A secret engine id: `socket.id` of the client is it, by the client's own doing.
//   - JSONP polling. It is refused: every browser in use has CORS.
//   - Binary data from the server. None of the chat's events has any.
//   - To hear of MAX_PAYLOAD: the handshake has no field for it.
//
// Text is sent as ASCII, everything else escaped, because clients of 1.x decode what comes by polling
// as UTF-8 once more, whatever it is.
//
// # Concurrency
//
// A session has one goroutine, which reads and handles its client's events in order, and on a WebSocket
// one that writes. Shutdown waits for both. The library adds one while an upgrade is under way, at most
// upgradeTimeout long, and one for each frame while it is read or written.
package legacy
