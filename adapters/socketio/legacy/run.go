package legacy

import (
	"io"
	"runtime/debug"
	"time"
	"unicode/utf8"

	library "github.com/googollee/go-socket.io/engineio/session"

	"parley/adapters/socketio"
	"parley/adapters/socketio/sio/packet"
	"parley/domain"
	"parley/ports"
)

// run serves the session, from the moment when the library knows it until nothing is left of it. A panic ends the
// session and nothing else.
func (s *session) run() {
	defer s.server.running.Done()
	defer func() {
		s.end()
		s.awaitLatePoll()
		s.server.remove(s.conn.ID())
		s.tasks.Wait()
	}()
	defer func() {
		if v := recover(); v != nil {
			s.server.log.Error("panic in handler", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	// The hub must know the session before the chat does, so that Hub.Disconnect finds a session that is to be ended as
	// soon as it is open.
	s.server.hub.add(s)
	defer s.server.hub.remove(s)
	_, err := s.server.chat.Connect(s.server.ctx, s.id, s.token)
	s.token = ""
	if err != nil {
		s.server.logInternal("connect", err)
		s.refuse(err)
		s.open()
		for s.read(nil) {
		}
		return
	}
	s.chat()
}

// latePoll is how long a client that violated the protocol between two polls may take to poll again and learn
// that its session has ended. If the session were unknown by then, the client would take that for a transport
// error.
const latePoll = time.Second

// awaitLatePoll keeps a session that has ended for such a client.
func (s *session) awaitLatePoll() {
	if !s.betweenPolls() {
		return
	}
	timer := time.NewTimer(latePoll)
	defer timer.Stop()
	select {
	case <-s.told:
	case <-timer.C:
	case <-s.server.ctx.Done():
	}
}

func (s *session) betweenPolls() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.violated && s.socket == nil && !s.toldClosed
}

// chat serves a session that is signed in. It has left for good only if the client said so or the server ended
// it; in every other case the client may come back.
func (s *session) chat() {
	how := ports.Dropped
	defer func() { s.server.chat.Disconnect(s.server.ctx, s.id, how) }()
	defer s.end()
	s.send(newMessage(packet.Packet{Type: packet.Connect}))
	s.open()
	c := &client{session: s}
	c.packets.MaxBytes = s.server.config.MaxPayload
	for s.read(c.receive) {
	}
	s.violated = c.broke()
	if c.goodbye || s.sentAway.Load() {
		how = ports.Left
	}
}

// read waits for one message of the client and passes it to receive, unless that is nil or the session is closing. It
// reports false when the session is over.
func (s *session) read(receive func(data []byte, binary bool) bool) bool {
	form, r, err := s.conn.NextReader()
	if err != nil {
		return false
	}
	data, err := io.ReadAll(r)
	_ = r.Close() // what it would report is what NextReader reports next
	switch binary := form == library.BINARY; {
	case err != nil, !binary && !utf8.Valid(data):
		return false
	case receive == nil, s.isClosing():
		return true
	default:
		return receive(data, binary)
	}
}

// refuse tells the client why it is not let in. A client that needs another token is also told to disconnect, so
// that it does not try again with the same one; a refused client of 3.x or 4.x does not either.
func (s *session) refuse(err error) {
	failure := socketio.NewFailure(err)
	data, err := marshalOne(failure)
	if err != nil {
		s.server.log.Error("refusal not encoded", "error", err)
	}
	s.send(newRefusal(packet.RootNamespace, data))
	switch failure.Code {
	case domain.CodeUnauthorized, domain.CodeTokenExpired, domain.CodeForbidden:
		s.send(newMessage(packet.Packet{Type: packet.Disconnect}))
		s.dismiss()
	default:
		s.close()
	}
}
