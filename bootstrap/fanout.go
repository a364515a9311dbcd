package bootstrap

import (
	"parley/domain"
	"parley/ports"
)

// hub is what the application needs of a transport.
type hub interface {
	ports.Broadcaster
	ports.Disconnector
}

// fanout is several hubs as one: each of them knows its own sessions and ignores the others.
type fanout []hub

var _ hub = fanout(nil)

// Broadcast implements ports.Broadcaster. It calls the hubs one after the other, always in the same order.
func (f fanout) Broadcast(to []domain.SessionID, except domain.SessionID, e domain.Event) {
	for _, h := range f {
		h.Broadcast(to, except, e)
	}
}

// Disconnect implements ports.Disconnector.
func (f fanout) Disconnect(sessions ...domain.SessionID) {
	for _, h := range f {
		h.Disconnect(sessions...)
	}
}
