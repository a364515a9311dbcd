package socketio

import (
	"context"
	"log/slog"

	"parley/domain"
)

// maxEventName bounds how much of an unknown event's name is said back.
const maxEventName = 128

// handle makes an event handler of a function that takes one decoded payload. On success the function
// calls reply once; an error goes to the client, as the ack it asked for or as an `error` event.
func handle[P any](
	e *Endpoints, f func(context.Context, domain.SessionID, P, func(any)) error,
) func(context.Context, Call) {
	return func(ctx context.Context, c Call) {
		var payload P
		if err := c.Bind(&payload); err != nil {
			e.fail(c, payloadError(err))
			return
		}
		if err := f(ctx, c.Session(), payload, func(ack any) { e.reply(c, ack) }); err != nil {
			e.fail(c, err)
		}
	}
}

func (e *Endpoints) reply(c Call, ack any) {
	if err := c.Ack(ack); err != nil {
		e.log.Error("ack not encoded", "event", c.Event(), "error", err)
	}
}

func (e *Endpoints) fail(c Call, err error) {
	logInternal(e.log, c.Event(), err)
	f := NewFailure(err)
	if c.WantsAck() {
		e.reply(c, failureAck{Error: f})
		return
	}
	name := c.Event()[:min(len(c.Event()), maxEventName)]
	if err := c.Emit(eventError, failureEvent{Event: name, Failure: f}); err != nil {
		e.log.Error("error event not encoded", "error", err)
	}
}

// logInternal logs what is the server's fault. Refusals are the client's, and told to it.
func logInternal(log *slog.Logger, what string, err error) {
	if code := domain.AsError(err).Code; code == domain.CodeInternal || code == domain.CodeUnavailable {
		log.Error("request failed", "event", what[:min(len(what), maxEventName)], "error", err)
	}
}
