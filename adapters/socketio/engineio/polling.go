package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// poll is a polling GET that waits for something to send.
type poll struct {
	// wake has a buffer of one. A value makes the waiting request look at the session again.
	wake chan struct{}
	// noop: the poll is to be answered even if there is nothing to send, then with a noop.
	noop bool
	// whileUpgrading: the poll came while a WebSocket was trying to take over.
	whileUpgrading bool
}

// wakeUp makes the waiting request look at the session again. The session's mutex is held; p may be nil.
func (p *poll) wakeUp() {
	if p == nil {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

const (
	// byeLinger is how long a session can be found after its client has closed it by POST. The client may be polling at
	// the same time: if the POST is handled first, the poll must still find the session, to be told that it is over.
	byeLinger = time.Second
	// probeHold is how often a waiting poll is answered with a noop while a WebSocket probes ([protocol], "Upgrade"),
	// and so the longest time that a poll that comes during an upgrade is held.
	probeHold = 100 * time.Millisecond
	// bodyTimeout is how long the body of a request may take to arrive.
	bodyTimeout = 10 * time.Second
	// drainBytes is how much of an oversized body is read nevertheless: a client that is still sending when its
	// connection is closed would not see the answer.
	drainBytes = 1 << 20
)

// servePoll answers a GET with what is pending, as soon as there is something.
func (s *Session) servePoll(w http.ResponseWriter, r *http.Request) {
	p, refusal := s.startPoll()
	if refusal != nil {
		refusal.write(w)
		return
	}
	for {
		packets, upgraded := s.takeForPoll(p)
		if upgraded {
			errBadRequest.write(w)
			return
		}
		if len(packets) > 0 {
			s.writePayload(w, r, packets)
			return
		}
		select {
		case <-p.wake:
		case <-r.Context().Done():
		}
		if r.Context().Err() != nil { // even if there is something to send by now
			s.abortPoll(p)
			return
		}
	}
}

func (s *Session) startPoll() (*poll, *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil {
		return nil, errBadRequest
	}
	if s.poll != nil {
		// Two polls at once would share out the outbox at random and lose the order.
		s.endLocked(ReasonTransportError)
		return nil, errBadRequest
	}
	s.poll = &poll{wake: make(chan struct{}, 1), whileUpgrading: s.upgrade != nil}
	return s.poll, nil
}

// takeForPoll returns the packets to answer the poll with, or none if it has to wait. Once it has returned any, the
// poll is over. upgraded says that the poll is to be refused instead, because the upgrade during which it came has
// succeeded.
func (s *Session) takeForPoll(p *poll) (packets []*Packet, upgraded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.bye:
		packets = []*Packet{noopPacket}
		s.server.sessions.forget(s) // one late poll is enough
	case s.state == stateClosed:
		packets = []*Packet{endPacket}
	case s.ws != nil:
		upgraded = p.whileUpgrading
		packets = []*Packet{noopPacket}
	case !s.outbox.empty():
		packets = s.takeForPayloadLocked()
	case p.noop:
		packets = []*Packet{noopPacket}
	default:
		return nil, false
	}
	s.poll = nil
	return packets, upgraded
}

// takeForPayloadLocked takes the packets of one payload. The farewell gets a payload of its own: socket.io-client
// defers the messages of a payload until it has seen all of it, and would take those before the farewell for messages
// that came while it was not connected.
func (s *Session) takeForPayloadLocked() []*Packet {
	packets := s.takeLocked(nil)
	if s.state != stateClosing {
		return packets
	}
	last := len(packets) - 1
	if last > 0 {
		s.outbox.add(packets[last])
		s.heartbeat.set(s, s.lingerLocked())
		return packets[:last]
	}
	s.endLocked(ReasonForcedClose)
	return packets
}

// abortPoll ends the session of a poll whose client has gone away, since what the poll would have carried cannot be
// delivered; unless a WebSocket has taken over.
func (s *Session) abortPoll(p *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll != p {
		return
	}
	s.poll = nil
	if s.ws == nil {
		s.endLocked(ReasonTransportError)
	}
}

// answerPoll has a waiting poll answered, with a noop if need be, during an upgrade.
func (s *Session) answerPoll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll != nil {
		s.poll.noop = true
		s.poll.wakeUp()
	}
}

// servePost handles the packets in the body of a POST.
func (s *Session) servePost(w http.ResponseWriter, r *http.Request) {
	if refusal := s.startPost(); refusal != nil {
		refusal.write(w)
		return
	}
	defer s.endPost()
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/octet-stream") {
		// Engine.IO v4 has no binary payloads.
		s.end(ReasonTransportError)
		errBadRequest.write(w)
		return
	}
	body, err := readBody(w, r, s.server.config.MaxPayload)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		_, _ = io.CopyN(io.Discard, r.Body, drainBytes) // whether or not that succeeds, the answer is the same
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		s.end(ReasonTransportError)
		errBadRequest.write(w)
		return
	}
	if !s.receivePayload(body) {
		errBadRequest.write(w)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok") // a client that misses the answer ends the session itself
}

func (s *Session) startPost() *Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil || s.state == stateClosed {
		return errBadRequest
	}
	if s.posting {
		s.endLocked(ReasonTransportError)
		return errBadRequest
	}
	s.posting = true
	return nil
}

func (s *Session) endPost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posting = false
}

// limitBody bounds the time that a request's body may take, even if the request is refused: net/http sends the answer
// only once it has seen the end of a small body.
func limitBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // not every writer supports it; the size is bounded anyway
	}
}

// readBody reads a body of at most limit bytes. If it fails, the deadline stays, for what net/http still reads.
func readBody(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(limit)))
	if err == nil {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // as in limitBody
	}
	return body, err
}

// receivePayload handles the packets of a polling body in order, until one ends the session. The body is ignored if the
// session is closing: the client has yet to be told. It returns false if the session has ended otherwise than by a
// goodbye, as when the client violates the protocol.
func (s *Session) receivePayload(body []byte) bool {
	s.inbound.Lock()
	defer s.inbound.Unlock()
	for more := s.isOpen(); more; {
		var packet []byte
		packet, body, more = bytes.Cut(body, []byte{separator})
		if !s.receivePolling(packet) {
			return !s.isOver()
		}
	}
	return true
}

// isOver reports whether the session has ended otherwise than by a goodbye of either side.
func (s *Session) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateClosed && !s.bye
}

// receivePolling handles one packet in its polling form.
func (s *Session) receivePolling(packet []byte) bool {
	if len(packet) > 0 && packet[0] == typeBinary {
		data, err := decodeBase64(packet[1:])
		if err != nil {
			s.quit(ReasonParseError)
			return false
		}
		return s.receive(typeMessage, data, true)
	}
	return s.receiveText(packet)
}

// receiveText handles one packet in its text form: its type, then its data.
func (s *Session) receiveText(packet []byte) bool {
	if len(packet) == 0 || !utf8.Valid(packet) {
		s.quit(ReasonParseError)
		return false
	}
	return s.receive(packet[0], packet[1:], false)
}

// decodeBase64 decodes standard base64 with or without padding, as the reference server does.
func decodeBase64(text []byte) ([]byte, error) {
	text = bytes.TrimRight(text, "=")
	return base64.RawStdEncoding.AppendDecode(nil, text)
}
