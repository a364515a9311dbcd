//go:build linux

package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/test/load/internal/swarm"
)

// probeLimit is how long a server may take to answer an event when it has nothing else to do.
const probeLimit = 2 * time.Second

// missingError names what the scenario needs and the server does not know: an event, or polling.
type missingError struct{ event string }

func (e *missingError) Error() string { return "the server does not answer " + e.event }

// refusesPolling reports whether every attempt to open a polling session was answered with an HTTP error: then the server
// is there, but supports WebSocket alone.
func refusesPolling(s swarm.Setup) bool {
	for text := range s.Errors {
		if !strings.HasPrefix(text, "engine.io open: HTTP 4") {
			return false
		}
	}
	return s.Done == 0 && len(s.Errors) > 0
}

// supported asks the server whether it has what the scenario needs besides joining and messages, which not every server
// compared has. If it does not answer, the error is a missingError.
func (b *bench) supported(ctx context.Context, s *swarm.Swarm) error {
	conversation := s.Conversation(0)
	var event, argument string
	switch {
	case b.Plan.Typing.Rate > 0:
		event, argument = "typing", fmt.Sprintf(`{"conversationId":%q,"isTyping":false}`, conversation)
	case b.Plan.ChurnRate > 0: // the conversation does not exist, so this is refused, but answered
		event, argument = "leave_conversation", fmt.Sprintf(`{"conversationId":%q}`, conversation+"-none")
	case b.Plan.Confirm: // a server that confirms knows message_ack; one that ignores confirm: true cannot be told at once
		event, argument = "message_ack", fmt.Sprintf(`{"conversationId":%q,"seq":0}`, conversation)
	default:
		return nil
	}
	_, _, err := s.Ask(ctx, event, []byte(argument), probeLimit)
	if errors.Is(err, swarm.ErrUnanswered) {
		return &missingError{event: event}
	}
	return err
}
