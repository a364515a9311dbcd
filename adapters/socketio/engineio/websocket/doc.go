// Package websocket is the server side of RFC 6455 as plain functions on bytes.
//
// It owns no connection and starts no goroutine. [Upgrade] answers the opening
// handshake and hands over the [net.Conn]; a [Decoder] is fed whatever the
// connection delivered and calls back with whole messages; [AppendHeader] and
// [AppendClose] build what goes out. Reading, writing, deadlines and closing
// stay with the caller, who can therefore share one encoded frame between many
// connections, coalesce writes, and keep a connection that is silent down to
// the size of a Decoder.
//
// # Memory
//
// A frame that arrives whole is unmasked where it lies and passed on without a
// copy and without an allocation. A frame that arrives in pieces is gathered in
// a buffer that grows with the bytes received, never by a length that the peer
// only announced, and that is released once the message has been delivered.
//
// A compressed message is gathered as it came, and decompressed into a pooled
// buffer that grows with what comes out, up to the limit.
//
// # Concurrency
//
// A Decoder is for one goroutine at a time. Everything else is a pure function.
//
// # Left out
//
// Of subprotocols the first one offered is agreed, whatever it is, and of extensions permessage-deflate alone,
// by [Accept]: without context takeover, because a context costs a server
// more memory than all else of a connection. There is no client side.
package websocket
