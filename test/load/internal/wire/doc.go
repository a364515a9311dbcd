// Package wire reads and writes the bytes between a load client and a Socket.IO server: WebSocket
// frames (RFC 6455, section 5), Engine.IO v4 packets, Socket.IO v5 packets, and the few fields of
// Parley's messages that a load run needs.
//
// It is made to be cheap. Nothing here allocates in the steady state, and a received message is not parsed as JSON: its
// `seq`, and the stamp in its content, are found by their bytes. A run also decodes a sample of the messages in full, with
// [DecodeMessage], to prove that the short way reads what is there.
package wire
