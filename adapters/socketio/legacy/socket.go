package legacy

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/googollee/go-socket.io/engineio/frame"
	"github.com/googollee/go-socket.io/engineio/packet"
	"github.com/googollee/go-socket.io/engineio/transport"

	"parley/adapters/socketio/engineio"
)

const (
	// writeTimeout is how long a client may take to accept a frame or an answer: each engineio.WriteSlice of it.
	writeTimeout = 10 * time.Second
	// upgradeTimeout is how long an upgrade may take once the WebSocket is open. The library would wait for
	// PingTimeout, during which nothing is sent.
	upgradeTimeout = 10 * time.Second
)

var errTooLarge = errors.New("legacy: message too large")

// socket is one of the library's WebSockets, with limits. While it is probing, it stands beside polling; once it
// is in use, only session.writeSocket writes to it.
type socket struct {
	transport.Conn
	beneath net.Conn
	session *session
	// probing says that the socket has not taken over from polling yet.
	probing atomic.Bool
}

// NextReader waits for a packet of the client.
func (k *socket) NextReader() (frame.Type, packet.Type, io.ReadCloser, error) {
	form, kind, r, err := k.Conn.NextReader()
	if err != nil {
		return 0, 0, nil, err
	}
	if kind == packet.UPGRADE && k.probing.CompareAndSwap(true, false) {
		_ = k.Conn.SetReadDeadline(time.Time{}) // fails only if it is closed
		k.session.heard(time.Now().Add(k.session.server.config.PingTimeout))
	}
	return form, kind, &limitedReader{ReadCloser: r, socket: k, left: k.session.server.config.MaxPayload}, nil
}

// NextWriter takes what the library itself sends: the handshake, pongs, and the answer to a probe, which bypasses
// the outbox because that is still emptied by polling.
func (k *socket) NextWriter(form frame.Type, kind packet.Type) (io.WriteCloser, error) {
	if !k.probing.Load() {
		return k.session.newFrame(kind), nil
	}
	_ = k.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // fails only if it is closed
	return k.Conn.NextWriter(form, kind)
}

// write sends one packet.
func (k *socket) write(p outgoing) error {
	// It cannot be put off any more once there is a writer.
	slices := 1 + len(p.data)/engineio.WriteSlice
	_ = k.Conn.SetWriteDeadline(time.Now().Add(time.Duration(slices) * writeTimeout)) // as above
	w, err := k.Conn.NextWriter(frame.String, p.kind)
	if err != nil {
		return err
	}
	_, err = w.Write(p.data)
	return errors.Join(err, w.Close())
}

// closeFrame is a WebSocket's close frame without a code (RFC 6455 §5.5.1).
var closeFrame = []byte{0x88, 0}

// sayGoodbye asks the client to close the connection; the library cannot. If the server closed it with bytes unread,
// the connection would be reset, and what the client has yet to read be lost.
func (k *socket) sayGoodbye() error {
	_ = k.beneath.SetWriteDeadline(time.Now().Add(writeTimeout)) // as above
	_, err := k.beneath.Write(closeFrame)
	return err
}

// Close is called by the library when the session is over or the upgrade has failed.
func (k *socket) Close() error {
	k.session.lost(k)
	return k.Conn.Close()
}

// SetReadDeadline is called by the library, with PingTimeout from now, at the start and at each ping.
func (k *socket) SetReadDeadline(t time.Time) error {
	if k.probing.Load() {
		return k.Conn.SetReadDeadline(time.Now().Add(upgradeTimeout))
	}
	k.session.heard(t)
	return nil
}

// SetWriteDeadline does nothing: write sets a deadline for each packet.
func (*socket) SetWriteDeadline(time.Time) error { return nil }

// limitedReader reads one message. A message that is too large closes the connection.
type limitedReader struct {
	io.ReadCloser
	socket *socket
	left   int
}

func (r *limitedReader) Read(b []byte) (int, error) {
	if len(b) > r.left+1 {
		b = b[:r.left+1]
	}
	n, err := r.ReadCloser.Read(b)
	if r.left -= n; r.left < 0 {
		_ = r.socket.Conn.Close() // or the library would read the rest to throw it away
		return 0, errTooLarge
	}
	return n, err
}
