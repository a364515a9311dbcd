package engineio

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"sync/atomic"
	"time"

	"parley/adapters/socketio/engineio/websocket"
)

// errStop ends a read loop whose session is over.
var errStop = errors.New("engineio: session over")

// webSocket reads the frames of one connection: for the session or, until the connection has taken over from polling,
// for the upgrade.
type webSocket struct {
	session *Session
	socket  *socket
	decoder websocket.Decoder
	// probing: an upgrade is in progress, so the client may send nothing but `2probe` and `5`. Only the reader uses it.
	probing bool
	probed  bool
	reading reading
	// ending: a short read does not mean that nothing is left, because the end of a polled connection, or something
	// else at which reads stop, has come after the bytes.
	ending atomic.Bool
}

// serveWebSocket opens a session on a WebSocket. The handler returns at once, so that neither the request nor the
// memory that was needed to serve it is kept.
func (srv *Server) serveWebSocket(w http.ResponseWriter, h *Handshake, id string) {
	opening := srv.takeConnection(w, h.Request)
	if opening == nil {
		return
	}
	ws := &webSocket{socket: &socket{conn: opening.Conn, deflate: opening.Largest}}
	ws.socket.detach(&srv.poller)
	var err error
	if ws.session, err = srv.open(h, id, ws.socket, responsePacket(opening.Response)); err != nil {
		_ = ws.socket.write(opening.Response, nil, srv.config.WriteTimeout) // so that the client sees a WebSocket that closes
		ws.socket.close()
		return
	}
	ws.start(opening.Early)
}

// takeConnection takes over the connection of an opening handshake. It returns nil if it has refused instead.
func (srv *Server) takeConnection(w http.ResponseWriter, r *http.Request) *websocket.Opening {
	opening, refusal := websocket.Accept(w, r, w.Header(), srv.config.PerMessageDeflate > 0)
	if refusal != nil {
		maps.Copy(w.Header(), refusal.Header)
		http.Error(w, errBadRequest.Message, refusal.Status)
		return nil
	}
	_ = opening.Conn.SetDeadline(time.Time{}) // removes those of net/http; if it fails, so does the first read
	return opening
}

// serveUpgrade lets a WebSocket try to take over from polling.
func (srv *Server) serveUpgrade(w http.ResponseWriter, r *http.Request, s *Session) {
	opening := srv.takeConnection(w, r)
	if opening == nil || opening.Answer() != nil {
		return
	}
	ws := &webSocket{session: s, socket: &socket{conn: opening.Conn, deflate: opening.Largest}, probing: true}
	if !ws.admit() {
		ws.socket.close()
		return
	}
	ws.start(opening.Early)
}

// admit makes the WebSocket the one that may take over the polling session. There can be only one at a time.
func (ws *webSocket) admit() bool {
	s := ws.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen || s.ws != nil || s.upgrade != nil {
		return false
	}
	s.upgrade = ws.socket
	_ = ws.socket.conn.SetReadDeadline(time.Now().Add(s.server.config.UpgradeTimeout)) // if it fails, so does the first read
	return true
}

// feed handles received bytes. After a violation of RFC 6455, all that still comes is discarded until the client has
// closed its side too: closing with unread bytes would reset the connection, and the client might never see the close
// frame that says why.
func (ws *webSocket) feed(data []byte) error {
	s := ws.session
	s.inbound.Lock()
	defer s.inbound.Unlock()
	err := ws.decoder.Feed(data, ws)
	if ce, ok := errors.AsType[*websocket.CloseError](err); ok && !ws.probing {
		ws.session.hangUp(closePacket(ce.Code, ce.Reason), ReasonTransportError)
		return nil
	}
	return err
}

func (s *Session) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateClosing
}

// Message handles one WebSocket message. The decoder has checked that text is UTF-8.
func (ws *webSocket) Message(op websocket.Opcode, data []byte) error {
	if ws.probing {
		return ws.probe(op, data)
	}
	s := ws.session
	ok := false
	switch {
	case op == websocket.OpBinary:
		ok = s.receive(typeMessage, data, true)
	case len(data) > 0 && data[0] == typeBinary:
		ok = s.receivePolling(data)
	case len(data) > 0:
		ok = s.receive(data[0], data[1:], false)
	default:
		s.quit(ReasonParseError)
	}
	if !ok && !s.isClosing() {
		return errStop
	}
	return nil // once a session is closing, only the client's close frame matters
}

// Control handles a WebSocket control frame (RFC 6455 §5.5).
func (ws *webSocket) Control(op websocket.Opcode, data []byte) error {
	switch op {
	case websocket.OpPing:
		if ws.probing {
			return ws.say(controlPacket(websocket.OpPong, data))
		}
		ws.session.Send(controlPacket(websocket.OpPong, data))
	case websocket.OpClose:
		if ws.probing || ws.session.hearClose() {
			return io.EOF
		}
		// The close frame is returned with its code but without the reason (RFC 6455 §5.5.1).
		ws.session.hangUp(controlPacket(websocket.OpClose, data[:min(len(data), 2)]), ReasonTransportClose)
	}
	return nil
}

// hearClose notes the client's close frame. It reports whether that answers the server's own, with everything written:
// then nothing more will come or go.
func (s *Session) hearClose() (answer bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeHeard = true
	return s.state == stateClosing && s.flushing == flushIdle
}

// ended handles the end of the connection. If it was an upgrade, polling goes on; otherwise the session ends.
func (ws *webSocket) ended(err error) {
	s := ws.session
	if ws.probing {
		s.mu.Lock()
		s.upgrade = nil
		s.mu.Unlock()
		return
	}
	if errors.Is(err, io.EOF) {
		s.end(ReasonTransportClose)
		return
	}
	s.end(ReasonTransportError)
}
