// Package packet is the codec of the Socket.IO protocol, revision 5, as spoken
// by socket.io-parser 4.2 and with it by every client of Socket.IO 3.x and 4.x.
//
// A packet is a text, followed by its binary attachments as messages of their
// own if it has any:
//
//	<type>[<attachments>-][<namespace>,][<ack id>][JSON payload]
//
// [Decode] reads the text and checks the payload by type, as the reference
// parser does. Payloads stay raw JSON that aliases the input: [Packet.Args] or
// [SplitArray] cut them into arguments, and whoever handles an event decodes
// just its own. [Assembler] puts binary packets together. [Append] and its
// kin write packets onto a caller's buffer.
//
// # Binary
//
// On the wire, binary data is replaced by {"_placeholder":true,"num":0} and sent
// behind the text. To receive it, declare a field, variable or element of type
// [Binary] and decode with [Bind]. To send it, pass any []byte or Binary,
// however deep inside the arguments, to [MarshalArgs].
//
// # Limits
//
// What reads from the wire takes time linear in its input. Decode allocates only the name
// of a namespace other than "/". A binary packet has at most [MaxAttachments]
// attachments, and at most [Assembler.MaxBytes] bytes; an array has at most
// [MaxArgs] arguments.
package packet
