package legacy_test

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"parley/domain"
	"parley/ports"
)

// The tokens that the chat of the tests knows; any other is not valid.
const (
	goodToken        = "good"
	expiredToken     = "expired"
	unavailableToken = "unavailable"
)

// chat is an application that notes what it is asked.
type chat struct {
	// onTyping is called by Typing.
	onTyping func(domain.SessionID)

	// opening, if set, is called by Connect.
	opening func(domain.SessionID)

	mu       sync.Mutex
	sessions []domain.SessionID
	departed []ports.Departure
	heard    []string
	// confirmed are the deliveries that were acked.
	confirmed []domain.DeliveryID
}

var _ ports.Chat = (*chat)(nil)

func (c *chat) Authenticate(_ context.Context, token string) (domain.Identity, error) {
	switch token {
	case goodToken:
		return domain.Identity{User: "ann"}, nil
	case expiredToken:
		return domain.Identity{}, domain.Errorf(domain.CodeTokenExpired, "the token has expired")
	case unavailableToken:
		return domain.Identity{}, domain.Errorf(domain.CodeUnavailable, "not now")
	}
	return domain.Identity{}, domain.Errorf(domain.CodeUnauthorized, "the token is not valid")
}

func (c *chat) Connect(ctx context.Context, id domain.SessionID, token string) (domain.Identity, error) {
	who, err := c.Authenticate(ctx, token)
	if c.opening != nil {
		c.opening(id)
	}
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sessions = append(c.sessions, id)
	}
	return who, err
}

func (c *chat) Disconnect(_ context.Context, id domain.SessionID, how ports.Departure) domain.Absence {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.sessions, id); i >= 0 {
		c.sessions = slices.Delete(c.sessions, i, i+1)
		c.departed = append(c.departed, how)
	}
	return domain.Absence{}
}

func (c *chat) Recover(
	context.Context, domain.SessionID, domain.Absence, string, func([]domain.Event),
) (bool, error) {
	panic("old clients do not recover")
}

func (c *chat) Join(_ context.Context, _ domain.SessionID, join ports.Join, admit func(ports.Joined)) error {
	admit(ports.Joined{Conversation: join.Conversation, Members: []domain.UserID{"ann"}})
	return nil
}

func (c *chat) Leave(context.Context, domain.SessionID, domain.ConversationID) error {
	return domain.Errorf(domain.CodeNotInConversation, "join the conversation first")
}

func (c *chat) Presence(context.Context, domain.SessionID, domain.ConversationID) ([]domain.UserID, error) {
	return []domain.UserID{"ann"}, nil
}

// Send notes the content; "panic" panics.
func (c *chat) Send(_ context.Context, _ domain.SessionID, send ports.Send) (ports.Receipt, error) {
	if send.Content == "panic" {
		panic(send.Content)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, send.Content)
	return ports.Receipt{Message: send.ID, At: domain.Position{Seq: uint64(len(c.heard))}}, nil
}

func (c *chat) Typing(_ context.Context, id domain.SessionID, _ domain.ConversationID, _ bool) error {
	if c.onTyping != nil {
		c.onTyping(id)
	}
	return nil
}

func (c *chat) Acknowledge(context.Context, domain.SessionID, domain.ConversationID, uint64) error {
	return nil
}

// Confirm notes the delivery.
func (c *chat) Confirm(_ context.Context, _ domain.SessionID, d domain.DeliveryID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.confirmed = append(c.confirmed, d)
}

func (c *chat) History(context.Context, domain.SessionID, domain.ConversationID, domain.Page) (domain.History, error) {
	return domain.History{}, nil
}

func (c *chat) Refresh(context.Context, domain.SessionID, string) (ports.Refreshed, error) {
	return ports.Refreshed{}, nil
}

// open returns the sessions that are signed in.
func (c *chat) open() []domain.SessionID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sessions)
}

// departures returns how sessions ended so far.
func (c *chat) departures() []ports.Departure {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.departed)
}

// confirmations returns the deliveries that were acked so far.
func (c *chat) confirmations() []domain.DeliveryID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.confirmed)
}

// contents returns what was sent so far.
func (c *chat) contents() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.heard)
}

// message is an event that a message was accepted.
func message(content string) domain.Event {
	return domain.MessageSent{Message: domain.Message{Draft: domain.Draft{Conversation: "c", User: "bob", Content: content}}}
}

// typing is an ephemeral event.
func typing(user string) domain.Event {
	return domain.TypingChanged{Conversation: "c", User: domain.UserID(user)}
}

// send is the packet by which a client sends a message.
func send(content string) string {
	return fmt.Sprintf(`42["message",{"conversationId":"c","content":%q}]`, content)
}
