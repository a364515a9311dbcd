package legacy

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/googollee/go-socket.io/engineio/frame"
	"github.com/googollee/go-socket.io/engineio/packet"
)

// incoming is one Engine.IO packet of a polling client.
type incoming struct {
	form frame.Type
	kind packet.Type
	data []byte
}

var errPayload = errors.New("legacy: malformed polling payload")

// maxLengthDigits bounds the digits of a length, which cannot be larger than the body that contains it.
const maxLengthDigits = 9

// cutPacket takes the first packet off a polling body, in the text form or the binary one. The packet aliases the
// body. found is false for an empty packet, which means nothing.
func cutPacket(body []byte, binary bool) (p incoming, found bool, rest []byte, err error) {
	if binary {
		return cutBinary(body)
	}
	return cutText(body)
}

// cutText reads `<length>:<packet>`. The length is in UTF-16 code units, as JavaScript counts.
func cutText(body []byte) (p incoming, found bool, rest []byte, err error) {
	digits, _, ok := bytes.Cut(body[:min(len(body), maxLengthDigits+1)], []byte{':'})
	if !ok || len(digits) == 0 {
		return incoming{}, false, nil, errPayload
	}
	rest = body[len(digits)+1:]
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return incoming{}, false, nil, errPayload
		}
		n = n*10 + int(c-'0')
	}
	size := 0
	for n > 0 {
		r, width := utf8.DecodeRune(rest[size:])
		if r == utf8.RuneError && width <= 1 {
			return incoming{}, false, nil, errPayload // the end, or not UTF-8
		}
		size += width
		n -= units(r)
	}
	if n < 0 {
		return incoming{}, false, nil, errPayload // ends in the middle of a character
	}
	if size == 0 {
		return incoming{}, false, rest, nil
	}
	p, err = parseText(rest[:size])
	p.data = undouble(p.data)
	return p, true, rest[size:], err
}

// parseText reads a packet in text: its type as a digit and its data, or `b`, the type, and the data in base64.
func parseText(text []byte) (incoming, error) {
	form := frame.String
	if text[0] == 'b' {
		form, text = frame.Binary, text[1:]
	}
	if len(text) == 0 || text[0] < packet.OPEN.StringByte() || text[0] > packet.NOOP.StringByte() {
		return incoming{}, errPayload
	}
	p := incoming{form: form, kind: packet.ByteToPacketType(text[0], frame.String), data: text[1:]}
	if form == frame.String {
		return p, nil
	}
	var err error
	p.data, err = base64.RawStdEncoding.AppendDecode(nil, bytes.TrimRight(p.data, "="))
	return p, err
}

// cutBinary reads `<0 for text, 1 for binary><length, a byte for each digit>\xff<packet>`. The length is in
// bytes.
func cutBinary(body []byte) (p incoming, found bool, rest []byte, err error) {
	if len(body) == 0 || body[0] > 1 {
		return incoming{}, false, nil, errPayload
	}
	form, n := frame.Type(body[0]), 0
	digits, _, ok := bytes.Cut(body[1:min(len(body), maxLengthDigits+2)], []byte{0xff})
	if !ok || len(digits) == 0 {
		return incoming{}, false, nil, errPayload
	}
	for _, c := range digits {
		if c > 9 {
			return incoming{}, false, nil, errPayload
		}
		n = n*10 + int(c)
	}
	rest = body[len(digits)+2:]
	switch {
	case n > len(rest):
		return incoming{}, false, nil, errPayload
	case n == 0:
		return incoming{}, false, rest, nil
	case form == frame.Binary:
		p = incoming{form: form, kind: packet.Type(rest[0]), data: rest[1:n]}
	case utf8.Valid(rest[:n]):
		p, err = parseText(rest[:n])
	default:
		err = errPayload
	}
	return p, true, rest[n:], err
}

// undouble reverts what clients of 1.x do to text that they send by polling: they encode it as UTF-8 twice. Newer
// clients do not, and do not tell their version either; but to be mistaken for a 1.x client's, their text would
// have to consist only of ASCII and of such characters up to U+00FF as form UTF-8, like "Ã©".
func undouble(text []byte) []byte {
	if isASCII(text) {
		return text
	}
	once := make([]byte, 0, len(text))
	for _, r := range string(text) {
		if r > 0xff {
			return text
		}
		once = append(once, byte(r))
	}
	if !utf8.Valid(once) {
		return text
	}
	return once
}

// units is the number of UTF-16 code units of a character.
func units(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// appendPayload appends packets in the text form.
func appendPayload(body []byte, packets []outgoing) []byte {
	for _, p := range packets {
		n := 1
		for _, r := range string(p.data) {
			n += units(r)
		}
		body = append(strconv.AppendInt(body, int64(n), 10), ':', p.kind.StringByte())
		body = append(body, p.data...)
	}
	return body
}
