package socketio

import (
	"context"
	"log/slog"
	"strings"

	"parley/adapters/socketio/sio"
	"parley/domain"
)

// maxEventName bounds how much of an unknown event's name is repeated to its sender.
const maxEventName = 128

// handle makes an event handler of a function that takes one decoded payload. If it succeeds, the function has
// called reply once; an error is sent to the client, as the ack if it asked for one or else as an `error` event.
func handle[P any](
	e *Endpoints, f func(context.Context, Call, P, func(any)) error,
) func(context.Context, Call) {
	return func(ctx context.Context, c Call) {
		var payload P
		if err := c.Bind(&payload); err != nil {
			e.fail(c, payloadError(err))
			return
		}
		if err := f(ctx, c, payload, func(ack any) { e.reply(c, ack) }); err != nil {
			e.fail(c, err)
		}
	}
}

// reply answers the event. If the ack cannot be encoded, it is replaced by an error, so that the client does not
// wait in vain.
func (e *Endpoints) reply(c Call, ack any) {
	if err := c.Ack(ack); err != nil {
		e.log.Error("ack not encoded", "event", shortName(c.Event()), "error", err)
		_ = c.Ack(failureAck{Error: NewFailure(err)}) // strings and numbers always encode
	}
}

func (e *Endpoints) fail(c Call, err error) {
	logInternal(e.log, shortName(c.Event()), err)
	f := NewFailure(err)
	if c.WantsAck() {
		e.reply(c, failureAck{Error: f})
		return
	}
	if err := c.Emit(eventError, failureEvent{Event: shortName(c.Event()), Failure: f}); err != nil {
		e.log.Error("error event not encoded", "error", err)
	}
}

// logInternal logs errors that are the server's fault. Refusals are the client's, and only told to it.
func logInternal(log *slog.Logger, what string, err error) {
	if code := domain.AsError(err).Code; code == domain.CodeInternal || code == domain.CodeUnavailable {
		log.Error("request failed", "event", what, "error", err)
	}
}

// shortName cuts a name to maxEventName bytes without splitting a character.
func shortName(name string) string {
	if len(name) <= maxEventName {
		return name
	}
	return strings.ToValidUTF8(name[:maxEventName], "")
}

// violated tells a client why its connection is about to be closed.
func (s *Server) violated(_ context.Context, socket *sio.Socket, err error) {
	s.log.Debug("protocol violation", "session", socket.ID(), "error", err)
	f := NewFailure(domain.Errorf(domain.CodeInvalidPayload, "not a packet of the protocol; the connection is closed"))
	if err := socket.Emit(eventError, failureEvent{Failure: f}); err != nil {
		s.log.Error("error event not encoded", "error", err)
	}
}
