// Package engineio is a server for Engine.IO v4, the transport protocol beneath Socket.IO v5: sessions over HTTP
// long-polling and WebSocket, upgrades from one to the other, heartbeats, and one bounded outbox per session. It knows
// nothing of Socket.IO and can be used on its own.
//
// # Usage
//
// A Server is an http.Handler. Its accept function is called for each new session and returns the Receiver of what the
// client sends:
//
//	server := engineio.NewServer(engineio.Config{}, func(s *engineio.Session, h *engineio.Handshake) engineio.Receiver {
//		return &echo{s}
//	})
//	http.Handle("/engine.io/", server)
//
// # Concurrency
//
// Everything exported is safe for concurrent use. The calls to one Receiver never overlap and follow the order in which
// the client sent; Closed is the last. A session has no goroutine of its own: one is started when something arrives,
// and on polling the goroutine is that of the HTTP request. A Receiver may block; that delays only its own client.
//
// Session.Send and Multicast only enqueue: they never block and do no I/O, so they may be called with locks held.
// Packets leave each session in the order in which they were enqueued.
//
// # Limits
//
// A message from the client may be MaxPayload bytes long. An outbox holds OutboxBytes; when it is full, volatile
// packets are dropped first, and then the session ends with ReasonSlowClient. The session of a client that does not
// take a write within WriteTimeout, or does not answer a ping within PingTimeout, ends.
//
// # Compression
//
// Answers to polls of Config.HTTPCompression bytes or more are compressed for clients that accept it, as by the
// reference server. WebSocket messages are compressed only if Config.PerMessageDeflate is set. Each then stands alone,
// so that nothing is kept per connection between messages, and a message for many clients is compressed once for all
// that accept it. Both kinds are compressed at the fastest level, on whichever goroutine writes, and never with a lock
// held. A compressed message from a client may inflate to MaxPayload bytes at most.
//
// Encryption does not hide the size of compressed data. An attacker who can have text of their own sent to a victim
// together with a secret, and can watch the connection, may be able to guess the secret (the BREACH and CRIME
// attacks). Packet.Uncompressed is for such secrets; the engine's own, the session id, is never compressed.
//
// # Left out
//
// JSONP polling is for browsers without CORS, which no client of this protocol supports any more, and would let any
// page read a session: requests for it are answered as plain polling. WebTransport is not offered. The query parameter
// b64 has no meaning in v4.
//
// The protocol is specified at https://socket.io/docs/v4/engine-io-protocol/, cited as [protocol]. Where it is silent,
// the behaviour is that of the reference server, engine.io 6.6.
package engineio
