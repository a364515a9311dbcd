package socketio

import (
	"maps"
	"slices"
)

// Events are the names of the events that clients may send, sorted.
func (e *Endpoints) Events() []string { return slices.Sorted(maps.Keys(e.on)) }

// Requests are the payloads of clients' events, where they are objects.
var Requests = map[string]any{
	eventJoin:     joinRequest{},
	eventLeave:    conversationRequest{},
	eventMessage:  messageRequest{},
	eventTyping:   typingRequest{},
	eventPresence: conversationRequest{},
	eventSeen:     seenRequest{},
	eventHistory:  historyRequest{},
	eventRefresh:  refreshRequest{},
}
