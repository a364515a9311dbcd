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
	// wake has room for one: the waiting request looks at the session again.
	wake chan struct{}
	// whileUpgrading: the poll came when a WebSocket was about to take over.
	whileUpgrading bool
}

// wakeUp is called with the session's mutex held; p may be nil.
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
	// byeLinger: a client may close by POST and poll at the same time. If the POST is handled first,
	// the poll must still find its session, to be told that it is over.
	byeLinger = time.Second
	// probeHold is how often a poll is answered with a noop while a WebSocket probes ([protocol],
	// "Upgrade"), and so how long a poll is held that arrives in the middle of an upgrade.
	probeHold = 100 * time.Millisecond
	// bodyTimeout is how long a request's body may take to arrive.
	bodyTimeout = 10 * time.Second
)

// servePoll answers a GET: with what is pending, or as soon as something is.
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
			s.writePayload(w, packets)
			return
		}
		select {
		case <-p.wake:
		case <-r.Context().Done():
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
		// Two polls at once would share the outbox by chance and lose the order.
		s.endLocked(ReasonTransportError)
		return nil, errBadRequest
	}
	s.poll = &poll{wake: make(chan struct{}, 1), whileUpgrading: s.upgrade != nil}
	return s.poll, nil
}

// takeForPoll returns what the poll is to be answered with, or nothing if it has to wait. Once there
// is something, the poll is over.
func (s *Session) takeForPoll(p *poll) (packets []*Packet, upgraded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.bye:
		packets = []*Packet{noopPacket}
	case s.state == stateClosed:
		packets = []*Packet{endPacket}
	case s.ws != nil:
		upgraded = p.whileUpgrading
		packets = []*Packet{noopPacket}
	case !s.outbox.empty():
		packets = s.outbox.take(nil)
		if s.state == stateClosing {
			s.endLocked(ReasonForcedClose)
		}
	default:
		return nil, false
	}
	s.poll = nil
	return packets, upgraded
}

// abortPoll ends the session of a poll whose client went away: what the poll would have carried has
// no one to go to.
func (s *Session) abortPoll(p *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == p {
		s.poll = nil
		s.endLocked(ReasonTransportError)
	}
}

// answerPoll answers a waiting poll with a noop while an upgrade is under way.
func (s *Session) answerPoll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateOpen && s.ws == nil && s.poll != nil && s.outbox.empty() {
		s.outbox.add(0, noopPacket)
		s.poll.wakeUp()
	}
}

func (s *Session) writePayload(w http.ResponseWriter, packets []*Packet) {
	size := 0
	for _, p := range packets {
		size += 1 + base64.StdEncoding.EncodedLen(len(p.frame))
	}
	body := appendPayload(make([]byte, 0, size), packets)
	setWriteDeadline(w, s.server.config.WriteTimeout)
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(body); err != nil {
		s.end(ReasonTransportError)
	}
}

// servePost takes packets from a POST's body.
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
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		s.end(ReasonTransportError)
		errBadRequest.write(w)
		return
	}
	s.receivePayload(body)
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "ok") // a client that does not hear it ends the session itself
}

func (s *Session) startPost() *Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil || s.state != stateOpen {
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

// readBody reads a body of at most limit bytes that arrives in time.
func readBody(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // not every writer can; the size is bounded anyway
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(limit)))
	_ = control.SetReadDeadline(time.Time{})
	return body, err
}

func setWriteDeadline(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d)) // not every writer can; a dead client is found by its ping
}

// receivePayload handles the packets of a polling body in order, until one ends the session.
func (s *Session) receivePayload(body []byte) {
	s.inbound.Lock()
	defer s.inbound.Unlock()
	for more := true; more; {
		var packet []byte
		packet, body, more = bytes.Cut(body, []byte{separator})
		if !s.receivePolling(packet) {
			return
		}
	}
}

// receivePolling handles one packet in its polling form.
func (s *Session) receivePolling(packet []byte) bool {
	if len(packet) > 0 && packet[0] == typeBinary {
		data, err := decodeBase64(packet[1:])
		if err != nil {
			s.end(ReasonParseError)
			return false
		}
		return s.receive(typeMessage, data, true)
	}
	return s.receiveText(packet)
}

// receiveText handles one packet in its text form: its type, then its data.
func (s *Session) receiveText(packet []byte) bool {
	if len(packet) == 0 || !utf8.Valid(packet) {
		s.end(ReasonParseError)
		return false
	}
	return s.receive(packet[0], packet[1:], false)
}

// decodeBase64 takes padded and unpadded standard base64, as the reference server does.
func decodeBase64(text []byte) ([]byte, error) {
	text = bytes.TrimRight(text, "=")
	return base64.RawStdEncoding.AppendDecode(nil, text)
}

// goodbye ends the session because the client asked for it.
func (s *Session) goodbye() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bye = s.state == stateOpen && s.ws == nil
	s.endLocked(ReasonTransportClose)
}
