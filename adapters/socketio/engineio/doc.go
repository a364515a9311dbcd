// Package engineio is a server for Engine.IO v4, the transport protocol beneath Socket.IO v5: sessions
// over HTTP long-polling and WebSocket, upgrade from one to the other, heartbeat, and one bounded
// outbox per session. It knows nothing of Socket.IO and can be used alone.
//
// # Usage
//
// A Server is an http.Handler. Its accept function is called for each new session and returns the
// Receiver of what the client sends:
//
//	server := engineio.NewServer(engineio.Config{}, func(s *engineio.Session, h *engineio.Handshake) engineio.Receiver {
//		return &echo{s}
//	})
//	http.Handle("/engine.io/", server)
//
// # Concurrency
//
// Everything exported is safe for concurrent use. The calls to one Receiver never overlap and come
// in the client's order; Closed is the last. A session has no goroutine of its own: one is started when
// something comes, and on polling it is that of the HTTP request. It may block; that delays its own client
// alone.
//
// Session.Send and Multicast only enqueue: they never block and do no I/O, so they may be
// called with locks held. Packets leave each session in the order they were enqueued.
//
// # Limits
//
// A message from the client may be MaxPayload bytes long. An outbox holds OutboxBytes; over it,
// volatile packets are dropped first, then the session ends with ReasonSlowClient. A client that does
// not take a write for WriteTimeout, or does not answer a ping for PingTimeout, is let go.
//
// # Compression
//
// Answers to polls of Config.HTTPCompression bytes or more are compressed for clients that accept it, as by
// the reference server. WebSocket messages are not, unless Config.PerMessageDeflate is set: each then
// stands alone, so that nothing is kept per connection between messages, and one that goes to many is
// compressed once for all who take it. Both run at the fastest level, on whichever goroutine writes,
// and never with a lock held. What a client sends compressed may inflate to MaxPayload bytes and no more.
//
// Encryption does not hide the size of what was compressed. Where someone can have text of their own sent
// to a victim, side by side with a secret, and can watch the connection, they may guess the secret
// (the BREACH and CRIME attacks). Packet.Uncompressed is for such secrets; the engine's own, the session
// id, is never compressed.
//
// # Left out
//
// JSONP polling is for browsers without CORS, which no client of this protocol supports any more, and
// would let any page read a session: requests for it get the answers of plain polling. WebTransport is
// not offered. Query parameter b64 means nothing in v4.
//
// The protocol is that of https://socket.io/docs/v4/engine-io-protocol/, cited as [protocol]; where it
// is silent the behaviour is that of the reference server, engine.io 6.6.
package engineio
