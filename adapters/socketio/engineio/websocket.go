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

// errStop ends a read loop that has nothing more to do.
var errStop = errors.New("engineio: session over")

// webSocket reads the frames of one connection: for its session, or, until it has taken over from
// polling, for the upgrade.
type webSocket struct {
	session *Session
	socket  *socket
	decoder websocket.Decoder
	// probing: the client may send nothing but `2probe` and `5`. Only the reader touches it.
	probing bool
	probed  bool
	reading reading
	// ending: a short read is not the last one, since the end of a polled connection has come behind it, or
	// something else at which reads stop.
	ending atomic.Bool
}

// serveWebSocket opens a session on a WebSocket. The handler returns at once, so that nothing is held of the
// request, nor of the memory that serving it took.
func (srv *Server) serveWebSocket(w http.ResponseWriter, h *Handshake, id string) {
	opening := srv.takeConnection(w, h.Request)
	if opening == nil {
		return
	}
	ws := &webSocket{socket: &socket{conn: opening.Conn, deflate: opening.Largest}}
	ws.socket.detach(&srv.poller)
	var err error
	if ws.session, err = srv.open(h, id, ws.socket, responsePacket(opening.Response)); err != nil {
		_ = ws.socket.write(opening.Response, nil, srv.config.WriteTimeout) // the client sees a WebSocket that closes
		ws.socket.close()
		return
	}
	ws.start(opening.Early)
}

// takeConnection takes the connection of an opening handshake over. It returns nil if it has refused it.
func (srv *Server) takeConnection(w http.ResponseWriter, r *http.Request) *websocket.Opening {
	opening, refusal := websocket.Accept(w, r, w.Header(), srv.config.PerMessageDeflate > 0)
	if refusal != nil {
		maps.Copy(w.Header(), refusal.Header)
		http.Error(w, errBadRequest.Message, refusal.Status)
		return nil
	}
	_ = opening.Conn.SetDeadline(time.Time{}) // those of net/http; if it fails, so does the first read
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

// admit lets one WebSocket at a time try to take over a polling session.
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

// feed handles the bytes that have come. After a violation they are thrown away until the client has
// closed its side too: with bytes unread, closing would reset the connection, and the client might never
// see the close frame that says why.
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
	return nil // of a session that is closing, only the client's close frame is of interest
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
		// It is returned with its code and no reason (RFC 6455 §5.5.1).
		ws.session.hangUp(controlPacket(websocket.OpClose, data[:min(len(data), 2)]), ReasonTransportClose)
	}
	return nil
}

// hearClose notes the client's close frame. It reports whether that was the answer to the server's: then
// nothing more will come or go.
func (s *Session) hearClose() (answer bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeHeard = true
	return s.state == stateClosing && s.flushs == flushIdle
}

// ended settles what the end of the connection means: for the upgrade, that polling goes on; for the
// session, its end.
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
