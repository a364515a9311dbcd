// Package packet is the codec of the Socket.IO protocol, revision 5, as spoken by socket.io-parser 4.2 and so by every
// client of Socket.IO 3.x and 4.x.
//
// A packet is a text, followed by its binary attachments, if any, as messages of their own:
//
//	<type>[<attachments>-][<namespace>,][<ack id>][JSON payload]
//
// [Decode] reads the text and checks the payload by type, as the reference parser does. The payload stays raw JSON that
// aliases the input: [Packet.Args] and [SplitArray] cut it into arguments, and whoever handles an event decodes only
// what it needs. [Assembler] puts binary packets together. [Append] and the other functions of that name append packets
// to a buffer of the caller's.
//
// # Binary
//
// On the wire, binary data is replaced by {"_placeholder":true,"num":0} and sent after the text. To receive it, declare
// a field, variable or element of type [Binary] and decode with [Bind]. To send it, pass any []byte or Binary, however
// deep inside the arguments, to [MarshalArgs].
//
// # Limits
//
// Reading from the wire takes time linear in the input. Decode allocates only the name of a namespace other than "/". A
// binary packet has at most [MaxAttachments] attachments and [Assembler.MaxBytes] bytes; an array has at most [MaxArgs]
// elements.
package packet
