package socketio

import (
	"context"
	"strings"

	"parley/adapters/socketio/sio"
	"parley/domain"
)

// maxEventName bounds how much of an unknown event's name is said back.
const maxEventName = 128

// handle makes an event handler of a function that takes one decoded payload. On success the function
// calls reply once; an error goes to the client, as the ack it asked for or as an `error` event.
func handle[P any](s *Server, f func(context.Context, domain.SessionID, P, func(any)) error) sio.Handler {
	return func(ctx context.Context, e *sio.Event) {
		var payload P
		if err := e.Bind(&payload); err != nil {
			s.fail(e, payloadError(err))
			return
		}
		if err := f(ctx, sessionID(e.Socket), payload, func(ack any) { s.reply(e, ack) }); err != nil {
			s.fail(e, err)
		}
	}
}

// unknown answers events that no one handles.
func (s *Server) unknown(_ context.Context, e *sio.Event) {
	s.fail(e, domain.Errorf(domain.CodeInvalidPayload, "unknown event"))
}

// reply answers the event. A client that asked for an ack waits for one, so it gets one in any case.
func (s *Server) reply(e *sio.Event, ack any) {
	if err := e.Ack(ack); err != nil {
		s.log.Error("ack not encoded", "event", e.Name, "error", err)
		_ = e.Ack(failureAck{Error: newFailure(err)}) // strings and numbers always encode
	}
}

func (s *Server) fail(e *sio.Event, err error) {
	s.logInternal(shortName(e.Name), err)
	f := newFailure(err)
	if e.WantsAck() {
		s.reply(e, failureAck{Error: f})
		return
	}
	if err := e.Socket.Emit(eventError, failureEvent{Event: shortName(e.Name), failure: f}); err != nil {
		s.log.Error("error event not encoded", "error", err)
	}
}

// logInternal logs what is the server's fault. Refusals are the client's, and told to it.
func (s *Server) logInternal(what string, err error) {
	if code := domain.AsError(err).Code; code == domain.CodeInternal || code == domain.CodeUnavailable {
		s.log.Error("request failed", "event", what, "error", err)
	}
}

// shortName cuts a name, between characters, to maxEventName bytes.
func shortName(name string) string {
	if len(name) <= maxEventName {
		return name
	}
	return strings.ToValidUTF8(name[:maxEventName], "")
}

// violated tells a client that broke the protocol what it did, before its connection is closed.
func (s *Server) violated(_ context.Context, socket *sio.Socket, err error) {
	s.log.Debug("protocol violation", "session", socket.ID(), "error", err)
	f := newFailure(domain.Errorf(domain.CodeInvalidPayload, "not a packet of the protocol; the connection is closed"))
	if err := socket.Emit(eventError, failureEvent{failure: f}); err != nil {
		s.log.Error("error event not encoded", "error", err)
	}
}
