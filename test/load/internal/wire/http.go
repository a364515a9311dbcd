package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// Separator stands between the packets of a polling body (Engine.IO v4, "Payload").
const Separator = 0x1e

// maxHead is the largest head of a response accepted, in bytes.
const maxHead = 16 << 10

// Errors of responses that this reader does not take.
var (
	ErrResponse     = errors.New("wire: not an HTTP/1.1 response")
	ErrHeadTooLarge = errors.New("wire: head of a response too large")
)

// Response is one HTTP/1.1 response. Body is a part of the bytes that it was cut from, unless it was chunked: then it is a
// copy.
type Response struct {
	Status int
	Close  bool // the server closes the connection after it
	Body   []byte
}

// CutResponse takes the first response off b and returns how many bytes it took; 0 means that b does not hold a whole
// response yet. The response must have a length or be chunked (RFC 9112, section 6), and its body must not be compressed.
func CutResponse(b []byte) (Response, int, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) > maxHead {
			return Response{}, 0, ErrHeadTooLarge
		}
		return Response{}, 0, nil
	}
	r, h, err := parseHead(b[:end])
	if err != nil {
		return Response{}, 0, err
	}
	at := end + 4
	if h.chunked {
		body, n, err := cutChunks(b[at:])
		if err != nil || n == 0 {
			return Response{}, 0, err
		}
		r.Body = body
		return r, at + n, nil
	}
	if h.length > MaxFrame {
		return Response{}, 0, ErrFrameTooLarge
	}
	if len(b)-at < h.length {
		return Response{}, 0, nil
	}
	r.Body = b[at : at+h.length]
	return r, at + h.length, nil
}

// framing says where a body ends.
type framing struct {
	length  int
	chunked bool
}

func parseHead(head []byte) (r Response, f framing, err error) {
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return r, f, ErrResponse
	}
	if r.Status, err = strconv.Atoi(string(line[9:12])); err != nil || r.Status < 200 {
		return r, f, ErrResponse
	}
	f.length = -1
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if f.length, err = strconv.Atoi(string(value)); err != nil || f.length < 0 {
				return r, f, fmt.Errorf("%w: length %.20q", ErrResponse, value)
			}
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			f.chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("connection")):
			r.Close = bytes.EqualFold(value, []byte("close"))
		case bytes.EqualFold(name, []byte("content-encoding")):
			return r, f, fmt.Errorf("%w: encoded as %.20q", ErrResponse, value)
		}
	}
	if f.length < 0 && !f.chunked {
		return r, f, fmt.Errorf("%w: no length", ErrResponse)
	}
	return r, f, nil
}

// cutChunks reads a chunked body without trailers (RFC 9112, section 7.1). n is how many bytes it took; 0 means that the
// body is not whole yet.
func cutChunks(b []byte) (body []byte, n int, err error) {
	for {
		line, _, found := bytes.Cut(b[n:], []byte("\r\n"))
		if !found {
			return nil, 0, nil
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 31)
		if err != nil || len(body)+int(size) > MaxFrame {
			return nil, 0, fmt.Errorf("%w: chunk of %.20q", ErrResponse, digits)
		}
		n += len(line) + 2
		if len(b)-n < int(size)+2 {
			return nil, 0, nil
		}
		if string(b[n+int(size):n+int(size)+2]) != "\r\n" {
			return nil, 0, fmt.Errorf("%w: chunk longer than it says", ErrResponse)
		}
		body = append(body, b[n:n+int(size)]...)
		if n += int(size) + 2; size == 0 {
			return body, n, nil
		}
	}
}

// CutPacket takes the first packet off a polling body; more reports whether others follow in rest.
func CutPacket(body []byte) (packet, rest []byte, more bool) {
	return bytes.Cut(body, []byte{Separator})
}
