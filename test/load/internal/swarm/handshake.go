//go:build linux

package swarm

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"parley/test/load/internal/wire"
)

// refusedError means that the server answered CONNECT with CONNECT_ERROR. Trying again would not help.
type refusedError struct{ code string }

func (e *refusedError) Error() string { return "refused: " + e.code }

// handshake sets up one connection by blocking calls: WebSocket, Engine.IO open, CONNECT.
type handshake struct {
	fd       int
	deadline time.Time
	in       []byte // read but not yet used
	early    []byte // frames that came before the answer to CONNECT: the missed events of a recovered connection
}

// Read implements io.Reader over the socket.
func (h *handshake) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(h.fd, b)
		switch {
		case err == nil && n == 0:
			return 0, io.ErrUnexpectedEOF
		case err == nil:
			return n, nil
		case errors.Is(err, unix.EAGAIN):
			if err := waitFor(h.fd, unix.POLLIN, h.deadline); err != nil {
				return 0, err
			}
		case !errors.Is(err, unix.EINTR):
			return 0, err
		}
	}
}

// Write implements io.Writer over the socket.
func (h *handshake) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := writeSome(h.fd, b[done:])
		if err != nil {
			return done, err
		}
		if done += n; n == 0 {
			if err := waitFor(h.fd, unix.POLLOUT, h.deadline); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// close gives up the socket.
func (h *handshake) close() { _ = unix.Close(h.fd) }

// run does all three steps, the last one with the given CONNECT packet, and returns the body of its answer. What the server
// sent besides is left in h.early and h.in.
func (h *handshake) run(t target, connect []byte) ([]byte, error) {
	if err := h.upgrade(t); err != nil {
		return nil, err
	}
	if p, _, err := h.packet(); err != nil || p.Kind != wire.Open {
		return nil, fmt.Errorf("engine.io open: %w", cmpError(err, p))
	}
	if _, err := h.Write(wire.AppendMasked(nil, wire.OpText, rand.Uint32(), connect)); err != nil {
		return nil, fmt.Errorf("connect packet: %w", err)
	}
	for {
		p, frame, err := h.packet()
		switch {
		case err != nil:
			return nil, fmt.Errorf("connect answer: %w", err)
		case p.Kind == wire.Connected:
			return p.Body, nil
		case p.Kind == wire.Refused:
			return nil, &refusedError{code: wire.ScanCode(p.Body)}
		case p.Kind != wire.Event || len(h.early) > wire.MaxFrame:
			return nil, fmt.Errorf("connect answer: %w", cmpError(nil, p))
		}
		h.early = append(h.early, frame...)
	}
}

func cmpError(err error, p wire.Packet) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("unexpected packet %.40q", p.Body)
}

// acceptGUID is fixed by RFC 6455, section 1.3.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// upgrade does the opening handshake of RFC 6455, section 4. It sends the headers of a browser, so that the memory of a
// server that keeps them shows. It offers no extension.
func (h *handshake) upgrade(t target) error {
	var nonce [16]byte
	binary.BigEndian.PutUint64(nonce[:], rand.Uint64())
	binary.BigEndian.PutUint64(nonce[8:], rand.Uint64())
	key := base64.StdEncoding.EncodeToString(nonce[:])
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\n", t.path, t.host)
	fmt.Fprintf(&b, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", key)
	b.WriteString("Pragma: no-cache\r\nCache-Control: no-cache\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
		"Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\n")
	if t.origin != "" {
		fmt.Fprintf(&b, "Origin: %s\r\n", t.origin)
	}
	b.WriteString("\r\n")
	if _, err := h.Write([]byte(b.String())); err != nil {
		return fmt.Errorf("upgrade request: %w", err)
	}
	r := bufio.NewReaderSize(h, 1024)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return fmt.Errorf("upgrade answer: %w", err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("upgrade answer: HTTP %d", res.StatusCode)
	}
	sum := sha1.Sum([]byte(key + acceptGUID))
	if res.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return errors.New("upgrade answer: wrong Sec-WebSocket-Accept")
	}
	rest, _ := r.Peek(r.Buffered())
	h.in = bytes.Clone(rest)
	return nil
}

// packet returns the next text packet and the frame it came in.
func (h *handshake) packet() (p wire.Packet, frame []byte, err error) {
	for {
		f, n, err := wire.Cut(h.in)
		if err != nil {
			return p, nil, err
		}
		if n > 0 {
			frame, h.in = h.in[:n], h.in[n:]
			if f.Op == wire.OpText && f.Fin {
				return wire.ParsePacket(f.Payload), frame, nil
			}
			return p, nil, fmt.Errorf("frame with opcode %d during the handshake", f.Op)
		}
		var more [1024]byte
		got, err := h.Read(more[:])
		if err != nil {
			return p, nil, err
		}
		h.in = append(h.in, more[:got]...)
	}
}
