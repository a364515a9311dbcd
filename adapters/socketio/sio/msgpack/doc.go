// Package msgpack translates between the packets of package packet and the frames of socket.io-msgpack-parser 3.0 (with
// notepack.io 2.2), a parser that clients of Socket.IO 3.x and 4.x can use instead of their usual one.
//
// A packet is one binary message, a map in MessagePack:
//
//	{type: 0-4, data?: …, id?: integer, nsp: "/…", options?: …}
//
// Binary data is part of data itself, so there are neither attachments nor the types BINARY_EVENT and BINARY_ACK.
// [Decode] turns data into JSON text with placeholders and [Append] turns it back, so that code which handles packets,
// [packet.Bind] and [packet.MarshalArgs] included, need not know which parser the client uses.
//
// # Values
//
// Values that JSON cannot express become what JSON.stringify makes of the values that notepack decodes:
//
//   - NaN and the infinities are null.
//   - undefined (fixext 1 of type 0) is left out of objects and null in arrays.
//   - A date (fixext 8 of type 0, the milliseconds since 1970) is its ISO 8601
//     string in UTC, and null if JavaScript has no such date.
//   - Binary data (bin, and ext 8 to 32 of type 0, which Node.js writes for an
//     ArrayBuffer) is a placeholder and an attachment.
//   - Any other extension is an array of its type and its binary data.
//   - Bytes that are not UTF-8 become U+FFFD.
//   - A key that is an integer becomes a string of its digits.
//
// Four things differ from that. A timestamp of the MessagePack specification (type -1), which notepack 2.2 treats like
// any other extension, becomes an ISO 8601 string too. Integers beyond 2^53, which JavaScript rounds, keep their digits.
// Keys that are neither strings nor integers are refused. If a map has the same key twice, both stay in the JSON, and
// whoever decodes that uses the last one.
//
// Clients should send binary data as a Buffer or an ArrayBuffer: notepack 2.2 turns a Uint8Array into an object of its
// indices in browsers, and into its whole underlying ArrayBuffer in Node.js.
//
// # Limits
//
// Both directions take time and memory linear in their input, whatever lengths a frame announces: Decode produces at most
// six bytes of JSON for each byte of input, and a few hundred more. Frames are nested at most [MaxDepth] deep and, as in
// package packet, hold at most [packet.MaxAttachments] pieces of binary data.
package msgpack
