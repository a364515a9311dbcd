package websocket

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // prescribed by RFC 6455 §4.2.2, guards nothing
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

const (
	// handshakeTimeout bounds the write of the response. The response fits into any socket buffer, so only a dead peer
	// can delay it.
	handshakeTimeout = 10 * time.Second

	version = "13"
	// acceptGUID is fixed by RFC 6455 §1.3.
	acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// HandshakeError is the refusal of an upgrade. Nothing has been written and the connection still belongs to net/http:
// respond with Status and Header.
type HandshakeError struct {
	// Status is 400, 426 for a protocol version other than 13, or 500 if the ResponseWriter cannot give up its
	// connection.
	Status int
	// Header holds fields that the response must carry; usually nil.
	Header http.Header
	// Reason may be shown to the client.
	Reason string

	cause error
}

// Error returns the reason, with the cause if there is one.
func (e *HandshakeError) Error() string {
	if e.cause != nil {
		return "websocket: " + e.Reason + ": " + e.cause.Error()
	}
	return "websocket: " + e.Reason
}

// Unwrap returns the cause, such as [http.ErrNotSupported].
func (e *HandshakeError) Unwrap() error { return e.cause }

// Opening is a connection that has been taken over and whose client is waiting for the response to its handshake.
type Opening struct {
	// Conn belongs to the caller. It may still have the deadlines that net/http has set.
	Conn net.Conn
	// Early is a copy of what the client sent right after its request, nil if nothing. Feed it to the [Decoder] first.
	Early []byte
	// Response is the 101 response. Nothing may be written before it.
	Response []byte
	// Largest is 0 if permessage-deflate (RFC 7692) was not agreed. Otherwise set Deflate on the [Decoder]; messages of
	// up to Largest bytes may be sent with [AppendDeflated].
	Largest int
}

// Accept takes over the connection of an opening handshake (RFC 6455 §4.2), for callers that write the response
// together with the first messages. deflate allows permessage-deflate, if the client makes an acceptable offer. It is
// then agreed that every message is compressed on its own, in both directions.
//
// The fields of header are added to the response, except those that belong to the handshake; fields set on w are not
// used. The first subprotocol that the client offers is accepted, as by the reference server: clients fail the
// connection without one. Checking the Origin, beforehand, is the caller's responsibility.
//
// If Accept refuses, nothing has been written and the caller still has to respond.
func Accept(w http.ResponseWriter, r *http.Request, header http.Header, deflate bool) (*Opening, *HandshakeError) {
	key, refusal := checkRequest(r)
	if refusal != nil {
		return nil, refusal
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, &HandshakeError{
			Status: http.StatusInternalServerError,
			Reason: "connection cannot be taken over",
			cause:  err,
		}
	}
	o := &Opening{Conn: conn}
	if n := rw.Reader.Buffered(); n > 0 {
		// A copy lets the reader and its 4 KiB be collected.
		peeked, _ := rw.Peek(n)
		o.Early = bytes.Clone(peeked)
	}
	var extensions string
	if deflate {
		extensions, o.Largest = negotiateDeflate(r.Header["Sec-Websocket-Extensions"])
	}
	o.Response = response(key, header, extensions, subprotocol(r.Header["Sec-Websocket-Protocol"]))
	return o, nil
}

// Upgrade is [Accept] without compression, followed by [Opening.Answer]. The connection it returns has no deadlines.
//
// Any error other than a *[HandshakeError] means that the connection was taken over and failed: it is closed, and w
// must not be used.
func Upgrade(w http.ResponseWriter, r *http.Request, header http.Header) (conn net.Conn, early []byte, err error) {
	o, refusal := Accept(w, r, header, false)
	if refusal != nil {
		return nil, nil, refusal
	}
	if err := o.Answer(); err != nil {
		return nil, nil, err
	}
	return o.Conn, o.Early, nil
}

// Answer writes the response and clears the connection's deadlines. If it fails, the connection is closed.
func (o *Opening) Answer() error {
	if err := answer(o.Conn, o.Response); err != nil {
		_ = o.Conn.Close()
		return fmt.Errorf("websocket: answer to the handshake: %w", err)
	}
	return nil
}

// answer writes the response under a deadline and then leaves conn without any.
func answer(conn net.Conn, response []byte) error {
	// The server's ReadTimeout or WriteTimeout must not outlive the request.
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	if err := conn.SetWriteDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	if _, err := conn.Write(response); err != nil {
		return err
	}
	return conn.SetWriteDeadline(time.Time{})
}

// checkRequest checks r against §4.2.1 and returns its Sec-WebSocket-Key.
func checkRequest(r *http.Request) (string, *HandshakeError) {
	switch {
	case r.Method != http.MethodGet:
		return "", badRequest("method is not GET")
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		// HTTP/2 upgrades differently (RFC 8441).
		return "", badRequest("protocol is not HTTP/1.1")
	case r.ContentLength != 0:
		// The body would be taken for frames.
		return "", badRequest("request has a body")
	case !hasToken(r.Header["Connection"], "upgrade"):
		return "", badRequest("no upgrade token in Connection")
	case !hasToken(r.Header["Upgrade"], "websocket"):
		return "", badRequest("no websocket token in Upgrade")
	}
	if v := r.Header["Sec-Websocket-Version"]; len(v) != 1 || v[0] != version {
		// §4.2.2 and §4.4; a 426 must name the protocol (RFC 9110 §15.5.22).
		return "", &HandshakeError{
			Status: http.StatusUpgradeRequired,
			Header: http.Header{
				"Sec-Websocket-Version": {version},
				"Upgrade":               {"websocket"},
			},
			Reason: "Sec-WebSocket-Version is not " + version,
		}
	}
	keys := r.Header["Sec-Websocket-Key"]
	if len(keys) != 1 || !validKey(keys[0]) {
		return "", badRequest("Sec-WebSocket-Key is not one value of 16 bytes in base64")
	}
	return keys[0], nil
}

func badRequest(reason string) *HandshakeError {
	return &HandshakeError{Status: http.StatusBadRequest, Reason: reason}
}

// hasToken looks for a token, ignoring case, in comma-separated lists (RFC 9110 §5.6.1), in time linear in their
// length.
func hasToken(lists []string, token string) bool {
	for _, list := range lists {
		for list != "" {
			var element string
			element, list, _ = strings.Cut(list, ",")
			element = textproto.TrimString(element)
			// Comparing lengths rules out letters that fold to ASCII, such as U+212A.
			if len(element) == len(token) && strings.EqualFold(element, token) {
				return true
			}
		}
	}
	return false
}

// validKey reports whether key is 16 bytes in base64 (§4.1, number 7), which is 24 characters.
func validKey(key string) bool {
	if len(key) != 24 {
		return false
	}
	var nonce [18]byte
	n, err := base64.StdEncoding.Decode(nonce[:], []byte(key))
	return err == nil && n == 16
}

// acceptKey returns the Sec-WebSocket-Accept for a key (§4.2.2, number 5.4).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + acceptGUID)) //nolint:gosec // prescribed by RFC 6455 §4.2.2
	return base64.StdEncoding.EncodeToString(sum[:])
}

// subprotocol returns the first one that the client offers (§4.1, number 10), or "" if that is not a token.
func subprotocol(lists []string) string {
	if len(lists) == 0 {
		return ""
	}
	first, _, _ := strings.Cut(lists[0], ",")
	first = textproto.TrimString(first)
	if strings.ContainsFunc(first, notInToken) {
		return ""
	}
	return first
}

// notInToken reports whether the character is not allowed in a token (RFC 9110 §5.6.2).
func notInToken(c rune) bool {
	return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}

// response builds the 101 response (§4.2.2, number 5).
func response(key string, header http.Header, extensions, protocol string) []byte {
	var out bytes.Buffer
	out.Grow(256) // enough unless the caller adds many fields
	out.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
	out.WriteString(acceptKey(key))
	out.WriteString("\r\n")
	if extensions != "" {
		out.WriteString("Sec-WebSocket-Extensions: " + extensions + "\r\n")
	}
	if protocol != "" {
		out.WriteString("Sec-WebSocket-Protocol: " + protocol + "\r\n")
	}
	var ours map[string]bool
	for name := range header {
		if belongsToHandshake(name) {
			if ours == nil {
				ours = make(map[string]bool)
			}
			ours[name] = true
		}
	}
	// WriteSubset drops invalid names and removes line breaks from values. A bytes.Buffer does not fail.
	_ = header.WriteSubset(&out, ours)
	out.WriteString("\r\n")
	return out.Bytes()
}

// belongsToHandshake reports whether the caller may not set the field: those of the handshake, and those that would
// announce a body.
func belongsToHandshake(name string) bool {
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch name {
	case "Upgrade", "Connection", "Content-Length", "Transfer-Encoding":
		return true
	}
	return strings.HasPrefix(name, "Sec-Websocket-")
}
