package engineio

import (
	"bytes"
	"time"

	"parley/adapters/socketio/engineio/websocket"
)

// probe handles a message of an upgrade ([protocol], "Upgrade"): first `2probe`, answered with `3probe`, then `5`.
func (ws *webSocket) probe(op websocket.Opcode, data []byte) error {
	switch {
	case op == websocket.OpText && !ws.probed && bytes.Equal(data, []byte("2probe")):
		ws.probed = true
		if err := ws.say(probePong); err != nil {
			return err
		}
		ws.session.answerPoll()
		ws.session.server.running.Go(ws.keepPollShort)
		return nil
	case op == websocket.OpText && ws.probed && len(data) == 1 && data[0] == typeUpgrade:
		return ws.takeOver()
	}
	return errStop
}

// say writes to the client of an upgrade. Nothing else writes to it yet.
func (ws *webSocket) say(p *Packet) error {
	return ws.socket.write(nil, []*Packet{p}, ws.session.server.config.WriteTimeout)
}

// keepPollShort keeps answering polls while the upgrade is in progress: the client completes the upgrade only after its
// last poll has been answered.
func (ws *webSocket) keepPollShort() {
	s := ws.session
	ticker := time.NewTicker(probeHold)
	defer ticker.Stop()
	for range ticker.C {
		s.mu.Lock()
		over := s.upgrade != ws.socket || s.state != stateOpen
		s.mu.Unlock()
		if over {
			return
		}
		s.answerPoll()
	}
}

// takeOver makes the WebSocket the session's transport. Pending packets leave through it, even if the session is
// closing: its client no longer polls.
func (ws *webSocket) takeOver() error {
	s := ws.session
	ws.probing = false
	_ = ws.socket.conn.SetReadDeadline(time.Time{}) // if it fails, so does the next read
	s.mu.Lock()
	if s.state == stateClosed {
		s.mu.Unlock()
		return errStop
	}
	ws.socket.detach(&s.server.poller) // under the lock, since ending the session closes the socket
	s.upgrade, s.ws = nil, ws.socket
	s.poll.wakeUp()
	if s.state == stateClosing {
		s.outbox.replaceLast(plainClose)
	}
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
