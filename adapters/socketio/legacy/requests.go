package legacy

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/googollee/go-socket.io/engineio/packet"

	"parley/adapters/socketio/engineio"
)

// bodyTimeout is how long a request's body may take to arrive.
const bodyTimeout = 10 * time.Second

// servePoll answers a GET with the pending packets, as soon as there are any.
func (s *session) servePoll(w http.ResponseWriter, r *http.Request) {
	if !s.startRequest(&s.polling) {
		errBadRequest.ServeHTTP(w, r)
		return
	}
	for {
		packets, refusal := s.takeForPoll()
		if refusal != nil {
			refusal.ServeHTTP(w, r)
			return
		}
		if len(packets) > 0 {
			s.answerPoll(w, packets)
			return
		}
		select {
		case <-s.wake:
		case <-s.moved:
		case <-s.done:
		case <-r.Context().Done():
			s.end() // an aborted poll is a lost connection, as for the reference server
			return
		}
	}
}

// startRequest notes that a request is being served, a GET or POST as running says, and reports whether it may
// be. A second one of the kind at the same time would take an arbitrary part of the packets, out of order: it
// ends the session. A request after the move to WebSocket is merely late, and refused.
func (s *session) startRequest(running *bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket != nil {
		return false
	}
	if *running {
		s.endLocked()
		return false
	}
	*running = true
	return true
}

// takeForPoll returns the packets to answer the poll with; none if it has to wait. If there are any, the poll is
// over.
func (s *session) takeForPoll() ([]outgoing, *engineio.Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var packets []outgoing
	switch {
	case s.ended:
		packets = []outgoing{{kind: packet.CLOSE}}
		if !s.toldClosed {
			s.toldClosed = true
			close(s.told)
		}
	case s.socket != nil:
		return nil, errBadRequest
	case s.paused:
		packets = []outgoing{{kind: packet.NOOP}}
	case s.ready:
		packets = s.outbox.take()
	}
	if len(packets) > 0 {
		s.polling = false
	}
	return packets, nil
}

func (s *session) answerPoll(w http.ResponseWriter, packets []outgoing) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err := engineio.PatientWriter(w, writeTimeout).Write(appendPayload(nil, packets)) //nolint:gosec // a polling payload in plain text: no browser takes it for a page
	if err != nil || packets[len(packets)-1].kind == packet.CLOSE {
		s.end()
	}
}

// servePost takes packets from a POST's body and hands them to the session one by one.
func (s *session) servePost(w http.ResponseWriter, r *http.Request) {
	if !s.startRequest(&s.posting) {
		errBadRequest.ServeHTTP(w, r)
		return
	}
	defer s.endPost()
	body, err := readBody(w, r, s.server.config.MaxPayload)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if err == nil {
		err = s.receivePayload(body, strings.HasPrefix(r.Header.Get("Content-Type"), "application/octet-stream"))
	}
	if err != nil {
		s.end()
		errBadRequest.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "ok") // a client that does not get it ends the session itself
}

func (s *session) endPost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posting = false
}

// receivePayload hands over the packets of a polling body in order, until the session ends.
func (s *session) receivePayload(body []byte, binary bool) error {
	for len(body) > 0 {
		p, found, rest, err := cutPacket(body, binary)
		if err != nil {
			return err
		}
		body = rest
		if !found {
			continue
		}
		select {
		case s.incoming <- p:
		case <-s.moved:
			return errPayload
		case <-s.done:
			return nil
		}
	}
	return nil
}

// limitBody bounds the time in which a request's body must arrive, even if the request is refused: net/http reads
// the rest of a body after the answer.
func limitBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // not every writer supports it; the size is bounded anyway
	}
}

// readBody reads a body of at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(limit)))
	if err == nil {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // as in limitBody
	}
	return body, err
}
