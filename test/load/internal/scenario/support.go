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

// missingError is an event that the server does not know.
type missingError struct{ event string }

func (e *missingError) Error() string { return "the server does not answer " + e.event }

// refusesPolling reports whether every attempt to open a session by polling was answered, and by
// nothing but an error: the server is there and takes WebSocket alone.
func refusesPolling(s swarm.Setup) bool {
	for text := range s.Errors {
		if !strings.HasPrefix(text, "engine.io open: HTTP 4") {
			return false
		}
	}
	return s.Done == 0 && len(s.Errors) > 0
}

// supported asks the server for what the scenario needs beside joining and messages, which not
// every server compared has. An event that is not answered is a missingError.
func (b *bench) supported(ctx context.Context, s *swarm.Swarm) error {
	conversation := s.Conversation(0)
	var event, argument string
	switch {
	case b.Plan.Typing.Rate > 0:
		event, argument = "typing", fmt.Sprintf(`{"conversationId":%q,"isTyping":false}`, conversation)
	case b.Plan.ChurnRate > 0: // of a conversation nobody is in: refused, but answered
		event, argument = "leave_conversation", fmt.Sprintf(`{"conversationId":%q}`, conversation+"-none")
	case b.Plan.Confirm: // confirming comes with it; of a message with confirm alone nothing is seen
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
