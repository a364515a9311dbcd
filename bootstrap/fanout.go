package bootstrap

import (
	"parley/domain"
	"parley/ports"
)

// hub is what a transport offers the application.
type hub interface {
	ports.Broadcaster
	ports.Disconnector
}

// fanout is the hub of sessions that are spread over several: each knows its own and ignores the rest.
type fanout []hub

var _ hub = fanout(nil)

// Broadcast hands the event to all of them, always in the same order.
func (f fanout) Broadcast(to []domain.SessionID, except domain.SessionID, e domain.Event) {
	for _, b := range f {
		b.Broadcast(to, except, e)
	}
}

// Disconnect ends the sessions wherever they are.
func (f fanout) Disconnect(sessions ...domain.SessionID) {
	for _, h := range f {
		h.Disconnect(sessions...)
	}
}
