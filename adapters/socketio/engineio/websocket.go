package engineio

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
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
}

// serveWebSocket opens a session on a WebSocket. The handler returns at once and a fresh goroutine
// reads: it holds nothing of the request, nor of the memory that serving it took.
func (srv *Server) serveWebSocket(w http.ResponseWriter, r *http.Request, h *Handshake) {
	conn, early, err := websocket.Upgrade(w, r, w.Header())
	if err != nil {
		refuseUpgrade(w, err)
		return
	}
	ws := &webSocket{socket: newSocket(conn)}
	if ws.session, err = srv.open(h, ws.socket); err != nil {
		ws.socket.close()
		return
	}
	ws.start(early)
}

// serveUpgrade lets a WebSocket try to take over from polling.
func (srv *Server) serveUpgrade(w http.ResponseWriter, r *http.Request, s *Session) {
	conn, early, err := websocket.Upgrade(w, r, w.Header())
	if err != nil {
		refuseUpgrade(w, err)
		return
	}
	ws := &webSocket{session: s, socket: newSocket(conn), probing: true}
	if !ws.admit() {
		ws.socket.close()
		return
	}
	ws.start(early)
}

func refuseUpgrade(w http.ResponseWriter, err error) {
	refusal, ok := errors.AsType[*websocket.HandshakeError](err)
	if !ok {
		return // the connection was taken over and failed
	}
	maps.Copy(w.Header(), refusal.Header)
	http.Error(w, errBadRequest.Message, refusal.Status)
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

func (ws *webSocket) start(early []byte) {
	ws.decoder.MaxMessage = ws.session.server.config.MaxPayload
	ws.session.server.running.Go(func() { ws.run(early) })
}

// run reads until the connection or the session ends.
func (ws *webSocket) run(early []byte) {
	defer ws.socket.close()
	src := newSource(ws.socket)
	err := ws.feed(early)
	for err == nil {
		var data []byte
		data, err = src.read()
		if err == nil {
			err = ws.feed(data)
		}
		src.release()
	}
	ws.ended(err)
}

// feed handles the bytes that have come. After the session's end they are thrown away, until the
// client has closed its side too.
func (ws *webSocket) feed(data []byte) error {
	s := ws.session
	s.inbound.Lock()
	defer s.inbound.Unlock()
	if !ws.probing && !s.isOpen() {
		return nil
	}
	err := ws.decoder.Feed(data, ws)
	if errors.Is(err, errStop) && s.isClosing() {
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
		s.end(ReasonParseError)
	}
	if !ok {
		return errStop
	}
	return nil
}

// Control handles a WebSocket control frame (RFC 6455 §5.5).
func (ws *webSocket) Control(op websocket.Opcode, data []byte) error {
	switch op {
	case websocket.OpPing:
		if ws.probing {
			return errStop
		}
		ws.session.Send(controlPacket(websocket.OpPong, data))
	case websocket.OpClose:
		if !ws.probing {
			ws.bye(data)
		}
		return io.EOF
	}
	return nil
}

// bye returns the client's close frame, with its code and no reason (RFC 6455 §5.5.1).
func (ws *webSocket) bye(data []byte) {
	ws.writeNow(controlPacket(websocket.OpClose, data[:min(len(data), 2)]))
	ws.session.end(ReasonTransportClose)
}

// probe handles the upgrade ([protocol], "Upgrade"): `2probe`, answered by `3probe`, then `5`.
func (ws *webSocket) probe(op websocket.Opcode, data []byte) error {
	switch {
	case op == websocket.OpText && !ws.probed && bytes.Equal(data, []byte("2probe")):
		ws.probed = true
		if err := writeBlocking(ws.socket.conn, nil, []*Packet{probePong}, ws.session.server.config.WriteTimeout); err != nil {
			return err
		}
		ws.session.answerPoll()
		ws.session.server.running.Go(func() { ws.session.keepPollShort() })
		return nil
	case op == websocket.OpText && ws.probed && len(data) == 1 && data[0] == typeUpgrade:
		return ws.takeOver()
	}
	return errStop
}

// keepPollShort answers polls while an upgrade is under way: the client waits for its last one.
func (s *Session) keepPollShort() {
	ticker := time.NewTicker(probeHold)
	defer ticker.Stop()
	for range ticker.C {
		s.mu.Lock()
		over := s.upgrade == nil || s.state != stateOpen
		s.mu.Unlock()
		if over {
			return
		}
		s.answerPoll()
	}
}

// takeOver makes the WebSocket the session's transport. What is pending leaves through it.
func (ws *webSocket) takeOver() error {
	s := ws.session
	ws.probing = false
	_ = ws.socket.conn.SetReadDeadline(time.Time{}) // if it fails, so does the next read
	s.mu.Lock()
	s.upgrade = nil
	if s.state != stateOpen {
		s.mu.Unlock()
		return errStop
	}
	s.poll.wakeUp()
	s.ws = ws.socket
	var dirty *Session
	if !s.outbox.empty() {
		dirty = s.dirtyLocked()
	}
	s.mu.Unlock()
	if dirty != nil {
		s.server.flusher.push(s)
	}
	return nil
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
	if ce, ok := errors.AsType[*websocket.CloseError](err); ok {
		ws.writeNow(closePacket(ce.Code, ce.Reason))
		s.end(ReasonTransportError)
		return
	}
	if errors.Is(err, io.EOF) {
		s.end(ReasonTransportClose)
		return
	}
	s.end(ReasonTransportError)
}

// writeNow tries to get one last frame to a connection that is about to be closed. If the socket is
// busy with other frames it is left out: the client then sees the close alone.
func (ws *webSocket) writeNow(p *Packet) {
	s := ws.session
	s.mu.Lock()
	idle := s.flushs == flushIdle && s.state != stateClosed
	if idle {
		s.flushs = flushParked
	}
	s.mu.Unlock()
	if idle {
		_ = writeBlocking(ws.socket.conn, nil, []*Packet{p}, farewellTimeout) // the connection is closed next
	}
}
