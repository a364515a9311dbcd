package legacy

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/googollee/go-socket.io/engineio/frame"
	"github.com/googollee/go-socket.io/engineio/packet"
)

// pollingConn is a session's polling as the library sees it. The requests themselves bypass the library:
// servePoll and servePost serve them.
type pollingConn struct{ session *session }

// handedOver is the error of a connection that another one has replaced. It says that it is temporary, so that
// the library tries again, on the new connection.
type handedOver struct{}

func (handedOver) Error() string   { return "legacy: the session has moved to WebSocket" }
func (handedOver) Temporary() bool { return true }

// NextReader waits for a packet of the client.
func (c *pollingConn) NextReader() (frame.Type, packet.Type, io.ReadCloser, error) {
	select {
	case p := <-c.session.incoming:
		return p.form, p.kind, io.NopCloser(bytes.NewReader(p.data)), nil
	case <-c.session.moved:
		return 0, 0, nil, handedOver{}
	case <-c.session.done:
		return 0, 0, nil, io.EOF
	}
}

// NextWriter takes what the library itself sends: the handshake and pongs.
func (c *pollingConn) NextWriter(_ frame.Type, kind packet.Type) (io.WriteCloser, error) {
	return c.session.newFrame(kind), nil
}

// Close is called when the session is over, or has moved to WebSocket.
func (c *pollingConn) Close() error {
	c.session.leavePolling()
	return nil
}

// Pause is called when a WebSocket is about to take over: what is sent from now on waits for it.
func (c *pollingConn) Pause() { c.session.pausePolling(true) }

// Resume is called when the upgrade has failed.
func (c *pollingConn) Resume() { c.session.pausePolling(false) }

// SetReadDeadline is called by the library, with PingTimeout from now, at the start and at each ping.
func (c *pollingConn) SetReadDeadline(t time.Time) error {
	c.session.heard(t)
	return nil
}

// SetWriteDeadline does nothing: a client that does not poll does not ping either.
func (*pollingConn) SetWriteDeadline(time.Time) error { return nil }

// The library requires the following methods and calls none of them.

// URL is empty.
func (*pollingConn) URL() url.URL { return url.URL{} }

// RemoteHeader is empty.
func (*pollingConn) RemoteHeader() http.Header { return nil }

// LocalAddr is nil.
func (*pollingConn) LocalAddr() net.Addr { return nil }

// RemoteAddr is nil.
func (*pollingConn) RemoteAddr() net.Addr { return nil }

// frameWriter collects a packet that the library sends, for the outbox.
type frameWriter struct {
	bytes.Buffer
	session *session
	kind    packet.Type
}

// newFrame returns a writer for one packet. The first packet is the handshake. The library writes it on a
// goroutine of its own, which must not go on before the session is introduced.
func (s *session) newFrame(kind packet.Type) *frameWriter {
	<-s.introduced
	return &frameWriter{session: s, kind: kind}
}

// Close enqueues the packet, without the newline that the library puts after its JSON.
func (w *frameWriter) Close() error {
	w.session.send(outgoing{kind: w.kind, data: bytes.TrimRight(w.Bytes(), "\n")})
	return nil
}
