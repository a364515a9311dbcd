package engineio

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// contentEncoding is an HTTP content coding that the server can apply (RFC 9110 §8.4.1).
type contentEncoding string

const (
	identity contentEncoding = ""
	gzipped  contentEncoding = "gzip"
	// deflated is the zlib format, despite its name (RFC 9110 §8.4.1.2).
	deflated contentEncoding = "deflate"
)

// acceptedEncoding returns the coding that the client likes best, given its Accept-Encoding fields (RFC 9110 §12.5.3).
// Of codings that it likes equally, it takes the one named first, as the reference server does. A coding that is not
// named is not used, and none is used if the client prefers the plain body.
func acceptedEncoding(accept []string) contentEncoding {
	// In thousandths; -1 means not named.
	gzipQ, deflateQ, identityQ, anyQ, deflateFirst := -1, -1, -1, -1, false
	for _, list := range accept {
		for list != "" {
			var element string
			element, list, _ = strings.Cut(list, ",")
			coding, params, _ := strings.Cut(element, ";")
			q := quality(params)
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				gzipQ = max(gzipQ, q)
			case "deflate":
				deflateFirst = deflateFirst || gzipQ < 0
				deflateQ = max(deflateQ, q)
			case "identity":
				identityQ = max(identityQ, q)
			case "*":
				anyQ = max(anyQ, q)
			}
		}
	}
	if gzipQ < 0 {
		gzipQ = anyQ
	}
	if deflateQ < 0 {
		deflateQ, deflateFirst = anyQ, false
	}
	switch best := max(gzipQ, deflateQ); {
	case best <= 0 || best < identityQ:
		return identity
	case deflateQ > gzipQ || deflateQ == gzipQ && deflateFirst:
		return deflated
	default:
		return gzipped
	}
}

// quality reads a weight (RFC 9110 §12.4.2), in thousandths: 1000 if there is none, 0 if it is malformed.
func quality(params string) int {
	name, value, found := strings.Cut(params, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		if strings.TrimSpace(params) == "" {
			return 1000
		}
		return 0
	}
	whole, fraction, _ := strings.Cut(strings.TrimSpace(value), ".")
	if len(fraction) > 3 || whole != "0" && whole != "1" {
		return 0
	}
	q := 0
	for _, digit := range []byte((fraction + "000")[:3]) {
		if digit < '0' || digit > '9' {
			return 0
		}
		q = 10*q + int(digit-'0')
	}
	if whole == "1" {
		return 1000 // there is no weight above 1
	}
	return q
}

// encoder compresses one body at a time. It takes more than a megabyte and is therefore pooled: there are about as many
// as processors.
type encoder struct {
	out    bytes.Buffer
	writer interface {
		io.WriteCloser
		Reset(io.Writer)
	}
}

// Both compress at the fastest level: on payloads of messages that takes a fifth of the default level's time, for
// results a quarter larger. The constructors fail only for an unknown level.
var (
	gzipEncoders = sync.Pool{New: func() any {
		e := &encoder{}
		e.writer, _ = gzip.NewWriterLevel(&e.out, flate.BestSpeed)
		return e
	}}
	deflateEncoders = sync.Pool{New: func() any {
		e := &encoder{}
		e.writer, _ = zlib.NewWriterLevel(&e.out, flate.BestSpeed)
		return e
	}}
)

// keepEncoded is the capacity, in bytes, up to which a pooled encoder keeps its buffer.
const keepEncoded = 64 << 10

func (enc contentEncoding) pool() *sync.Pool {
	if enc == deflated {
		return &deflateEncoders
	}
	return &gzipEncoders
}

func (e *encoder) encode(body []byte) []byte {
	e.out.Reset()
	e.writer.Reset(&e.out)
	_, _ = e.writer.Write(body) // a bytes.Buffer does not fail
	_ = e.writer.Close()        // as above
	return e.out.Bytes()
}

// writeEncoded writes the body, compressed if the client accepts that and it makes the body smaller. It runs on the
// request's own goroutine, so other clients do not wait for it.
func writeEncoded(w http.ResponseWriter, r *http.Request, body []byte) error {
	w.Header().Add("Vary", "Accept-Encoding")
	enc := acceptedEncoding(r.Header["Accept-Encoding"])
	if enc == identity {
		return writePlain(w, body)
	}
	pool := enc.pool()
	e := pool.Get().(*encoder)
	defer func() {
		if e.out.Cap() > keepEncoded {
			e.out = bytes.Buffer{}
		}
		pool.Put(e)
	}()
	encoded := e.encode(body)
	if len(encoded) >= len(body) {
		return writePlain(w, body)
	}
	w.Header().Set("Content-Encoding", string(enc))
	return writePlain(w, encoded)
}

// writePayload answers a poll.
func (s *Session) writePayload(w http.ResponseWriter, r *http.Request, packets []*Packet) {
	size, secret := 0, false
	for _, p := range packets {
		size += 1 + base64.StdEncoding.EncodedLen(len(p.frame))
		secret = secret || p.uncompressed
	}
	body := appendPayload(make([]byte, 0, size), packets)
	control := http.NewResponseController(w)
	w = PatientWriter(w, s.server.config.WriteTimeout)
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	threshold := s.server.config.HTTPCompression
	var err error
	if threshold < 0 || len(body) < threshold || secret {
		err = writePlain(w, body)
	} else {
		err = writeEncoded(w, r, body)
	}
	if err == nil {
		err = control.Flush() // otherwise a failure of what is still buffered could go unnoticed
	}
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.end(failure(err))
	}
}

// PatientWriter returns a writer to w that gives the client the timeout for each WriteSlice of what is written, as a
// Server does with Config.WriteTimeout, for handlers that serve beside one.
func PatientWriter(w http.ResponseWriter, timeout time.Duration) http.ResponseWriter {
	return &slicedWriter{w, timeout}
}

type slicedWriter struct {
	http.ResponseWriter
	timeout time.Duration
}

func (w *slicedWriter) Write(data []byte) (written int, err error) {
	control := http.NewResponseController(w.ResponseWriter)
	for {
		_ = control.SetWriteDeadline(time.Now().Add(w.timeout)) // not every writer supports it; a dead client is noticed by its heartbeat
		slice := data[written:min(written+WriteSlice, len(data))]
		n, err := w.ResponseWriter.Write(slice)
		written += n
		if err != nil || written == len(data) {
			return written, err
		}
	}
}

func writePlain(w http.ResponseWriter, body []byte) error {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, err := w.Write(body)
	return err
}
