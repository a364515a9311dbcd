package bootstrap

import (
	"parley/domain"
	"parley/ports"
)

// fanout carries events to sessions that are spread over several broadcasters: each knows its own and
// ignores the rest.
type fanout []ports.Broadcaster

var _ ports.Broadcaster = fanout(nil)

// Broadcast hands the event to all of them, always in the same order.
func (f fanout) Broadcast(to []domain.SessionID, except domain.SessionID, e domain.Event) {
	for _, b := range f {
		b.Broadcast(to, except, e)
	}
}
