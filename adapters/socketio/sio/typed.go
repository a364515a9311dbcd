package sio

import "context"

// Typed makes a handler of a function that takes the event's first argument, decoded as by Event.Bind. If
// decoding or the function fails, the function set with Namespace.OnError is called.
func Typed[P any](f func(context.Context, *Event, P) error) Handler {
	return func(ctx context.Context, e *Event) {
		var payload P
		err := e.Bind(&payload)
		if err == nil {
			err = f(ctx, e, payload)
		}
		if fail := e.Socket.namespace.onError; err != nil && fail != nil {
			fail(ctx, e, err)
		}
	}
}

// OnError sets what is called when a handler made by Typed fails: the place to answer the client. Without it the
// error is ignored.
func (n *Namespace) OnError(f func(context.Context, *Event, error)) { n.onError = f }
