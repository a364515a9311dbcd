// Package msgpack translates between the frames of socket.io-msgpack-parser 3.0
// (with notepack.io 2.2), the parser that clients of Socket.IO 3.x and 4.x can be
// given in place of their own, and the packets of package packet.
//
// A packet is one binary message, a map in MessagePack:
//
//	{type: 0-4, data?: …, id?: integer, nsp: "/…", options?: …}
//
// Binary data stands in its place inside data, so there are neither attachments
// nor the types BINARY_EVENT and BINARY_ACK. [Decode] turns data into JSON text
// with placeholders and [Append] turns it back, so that what handles a packet,
// [packet.Bind] and [packet.MarshalArgs] included, need not know which parser the
// client has.
//
// # Values
//
// What JSON cannot say becomes what JSON.stringify makes of what notepack
// decodes:
//
//   - NaN and the infinities are null.
//   - undefined (fixext 1 of type 0) is left out of objects and null in arrays.
//   - A date (fixext 8 of type 0, the milliseconds since 1970) is its ISO 8601
//     string in UTC, and null if JavaScript has no such date.
//   - Binary data (bin, and ext 8 to 32 of type 0, which Node.js writes for an
//     ArrayBuffer) is a placeholder and an attachment.
//   - Any other extension is an array of its type and its binary data.
//   - Bytes that are not UTF-8 are U+FFFD.
//   - A key that is an integer is its digits.
//
// Four things differ. A timestamp of the MessagePack specification (type -1),
// which notepack 2.2 takes for any other extension, is an ISO 8601 string too.
// Integers beyond 2^53, which JavaScript rounds, keep their digits. Keys that are
// neither strings nor integers are refused. If a map has the same key twice, both
// stay in the JSON, and its reader takes the last one.
//
// On their side, clients should send binary data as a Buffer or an ArrayBuffer. Of
// a Uint8Array, notepack 2.2 makes an object of its indices in browsers, and its
// whole underlying ArrayBuffer in Node.js.
//
// # Limits
//
// Both directions take time and memory linear in their input, whatever lengths a
// frame announces: Decode makes at most six bytes of JSON of each byte, and a few
// hundred more. Frames are nested at most [MaxDepth] deep and, as in package
// packet, hold at most [packet.MaxAttachments] pieces of binary data.
package msgpack
