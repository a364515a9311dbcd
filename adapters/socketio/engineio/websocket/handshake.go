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
	// handshakeTimeout bounds the write of the answer. It fits any socket buffer,
	// so only a peer that is gone can make it wait.
	handshakeTimeout = 10 * time.Second

	version = "13"
	// acceptGUID is fixed by RFC 6455 §1.3.
	acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// HandshakeError refuses an upgrade. Nothing has been written and the
// connection is still net/http's: answer with Status and Header.
type HandshakeError struct {
	// Status is 400, or 426 for a protocol version other than 13, or 500 if the
	// ResponseWriter cannot give up its connection.
	Status int
	// Header is what the answer must carry beside the status; nil for most.
	Header http.Header
	// Reason is fit to be shown to the client.
	Reason string

	cause error
}

// Error tells the reason, and the cause if there is one.
func (e *HandshakeError) Error() string {
	if e.cause != nil {
		return "websocket: " + e.Reason + ": " + e.cause.Error()
	}
	return "websocket: " + e.Reason
}

// Unwrap returns the cause, such as [http.ErrNotSupported].
func (e *HandshakeError) Unwrap() error { return e.cause }

// Opening is a connection that was taken over and whose client still waits for the answer to its handshake.
type Opening struct {
	// Conn is the caller's. It may have the deadlines of the server it is from.
	Conn net.Conn
	// Early is a copy of what the client sent right behind its request, nil if nothing: it goes to the [Decoder]
	// first.
	Early []byte
	// Response is the answer, 101. Nothing may be written before it.
	Response []byte
	// Largest is 0 if permessage-deflate (RFC 7692) was not agreed. Otherwise set Deflate on the [Decoder];
	// messages of up to Largest bytes may be sent by [AppendDeflated].
	Largest int
}

// Accept takes the connection of an opening handshake (RFC 6455 §4.2) over, for a caller who wants to write the
// answer together with the first messages. deflate lets the client have permessage-deflate, if it offers that in
// a form that can be accepted. It is agreed that every message stands alone, in both directions.
//
// header is added to the answer, except for fields that belong to the handshake itself; what is set on w is not
// used. Of subprotocols the first that the client offers is agreed, as by the reference server: clients fail
// without one. Whether the Origin may connect is for the caller to decide before.
//
// If it is refused, nothing was written and the caller still has to answer.
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
		// A copy, so that the reader and its 4 KiB can be collected.
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

// Upgrade is [Accept], without compression, that also answers. The connection it returns has no deadlines.
//
// Any error but a *[HandshakeError] means that the connection was taken over and failed: it is closed and w must
// not be used.
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

// Answer writes the response and leaves the connection without deadlines. If it fails the connection is closed.
func (o *Opening) Answer() error {
	if err := answer(o.Conn, o.Response); err != nil {
		_ = o.Conn.Close()
		return fmt.Errorf("websocket: answer to the handshake: %w", err)
	}
	return nil
}

// answer writes the response under a deadline and leaves conn without any.
func answer(conn net.Conn, response []byte) error {
	// A server's ReadTimeout or WriteTimeout must not outlive the request.
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

// checkRequest holds r against §4.2.1 and returns its Sec-WebSocket-Key.
func checkRequest(r *http.Request) (string, *HandshakeError) {
	switch {
	case r.Method != http.MethodGet:
		return "", badRequest("method is not GET")
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		// HTTP/2 upgrades in another way (RFC 8441).
		return "", badRequest("protocol is not HTTP/1.1")
	case r.ContentLength != 0:
		// Its body would be taken for frames.
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

// hasToken looks for a token, in any case, in comma-separated lists (RFC 9110
// §5.6.1). It reads each byte a fixed number of times, whatever the list.
func hasToken(lists []string, token string) bool {
	for _, list := range lists {
		for list != "" {
			var element string
			element, list, _ = strings.Cut(list, ",")
			element = textproto.TrimString(element)
			// Equal length keeps out letters that fold to ASCII, such as U+212A.
			if len(element) == len(token) && strings.EqualFold(element, token) {
				return true
			}
		}
	}
	return false
}

// validKey: base64 of 16 bytes (§4.1, number 7), which is 24 characters.
func validKey(key string) bool {
	if len(key) != 24 {
		return false
	}
	var nonce [18]byte
	n, err := base64.StdEncoding.Decode(nonce[:], []byte(key))
	return err == nil && n == 16
}

// acceptKey is the Sec-WebSocket-Accept for a key (§4.2.2, number 5.4).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + acceptGUID)) //nolint:gosec // prescribed by RFC 6455 §4.2.2
	return base64.StdEncoding.EncodeToString(sum[:])
}

// subprotocol is the first that the client offers (§4.1, number 10), or "" if that is no token.
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

// notInToken reports whether a token cannot have the character (RFC 9110 §5.6.2).
func notInToken(c rune) bool {
	return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}

// response is the 101 response (§4.2.2, number 5).
func response(key string, header http.Header, extensions, protocol string) []byte {
	var out bytes.Buffer
	out.Grow(256) // enough, but for many headers of the caller's
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
	// WriteSubset drops bad names and takes line breaks out of values. A
	// bytes.Buffer does not fail.
	_ = header.WriteSubset(&out, ours)
	out.WriteString("\r\n")
	return out.Bytes()
}

// belongsToHandshake names the fields that a caller may not set: those of the
// handshake, and those that would announce a body.
func belongsToHandshake(name string) bool {
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch name {
	case "Upgrade", "Connection", "Content-Length", "Transfer-Encoding":
		return true
	}
	return strings.HasPrefix(name, "Sec-Websocket-")
}
