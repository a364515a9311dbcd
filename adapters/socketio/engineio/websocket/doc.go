// Package websocket implements the server side of RFC 6455 as plain functions on bytes.
//
// It owns no connection and starts no goroutine. [Upgrade] answers the opening handshake and hands over the [net.Conn];
// a [Decoder] is fed the bytes that the connection delivers and calls back with whole messages; [AppendHeader] and
// [AppendClose] build outgoing frames. Reading, writing, deadlines and closing are left to the caller, who can
// therefore share one encoded frame between many connections, coalesce writes, and keep a silent connection down to the
// size of a Decoder.
//
// # Memory
//
// A frame that arrives whole is unmasked in place and passed on without a copy or an allocation. A frame that arrives
// in pieces is gathered in a buffer that grows with the bytes received, never by a length that the peer has merely
// announced, and that is released once the message has been delivered.
//
// A compressed message is gathered as it came and decompressed into a pooled buffer that grows with the output, up to
// the limit.
//
// # Concurrency
//
// A Decoder must be used by one goroutine at a time. All functions are safe for concurrent use.
//
// # Left out
//
// There is no client side. The first subprotocol that the client offers is accepted, whatever it is. The only extension
// is permessage-deflate, negotiated by [Accept] and only without context takeover, because a context costs a server
// more memory than everything else about a connection.
package websocket
