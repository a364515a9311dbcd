package socketio

import (
	"encoding/json"
	"time"

	"parley/domain"
)

// The events that only the server sends; eventMessage and eventTyping go both ways.
const (
	eventUserJoined = "user_joined"
	eventUserLeft   = "user_left"
	eventDelivered  = "message_delivered"
	eventUpdated    = "conversation_updated"
	eventChunk      = "message_chunk"
	eventExpiring   = "token_expiring"
	eventError      = "error"
)

// The payloads of the server's events.
type (
	messageEvent struct {
		Type           string          `json:"type"`
		ConversationID string          `json:"conversationId"`
		UserID         string          `json:"userId"`
		Content        string          `json:"content"`
		Timestamp      string          `json:"timestamp"`
		MessageID      string          `json:"messageId"`
		Seq            uint64          `json:"seq"`
		Metadata       json.RawMessage `json:"metadata,omitempty"`
	}
	systemEvent struct {
		Type           string `json:"type"`
		ConversationID string `json:"conversationId"`
		UserID         string `json:"userId"`
		Timestamp      string `json:"timestamp"`
	}
	typingEvent struct {
		ConversationID string `json:"conversationId"`
		UserID         string `json:"userId"`
		IsTyping       bool   `json:"isTyping"`
		Timestamp      string `json:"timestamp"`
	}
	deliveredEvent struct {
		ConversationID string   `json:"conversationId"`
		MessageID      string   `json:"messageId"`
		Seq            uint64   `json:"seq"`
		Expected       int      `json:"expected"`
		Delivered      int      `json:"delivered"`
		Pending        []string `json:"pending"`
		Status         string   `json:"status"`
		Timestamp      string   `json:"timestamp"`
	}
	updatedEvent struct {
		Type           string          `json:"type"`
		ConversationID string          `json:"conversationId"`
		Timestamp      string          `json:"timestamp"`
		Changes        json.RawMessage `json:"changes"`
	}
	announcedEvent struct {
		Type           string          `json:"type"`
		ConversationID string          `json:"conversationId"`
		Timestamp      string          `json:"timestamp"`
		Data           json.RawMessage `json:"data,omitempty"`
	}
	chunkEvent struct {
		ConversationID string `json:"conversationId"`
		MessageID      string `json:"messageId"`
		Index          int    `json:"index"`
		Delta          string `json:"delta"`
		Aborted        bool   `json:"aborted,omitempty"`
	}
	expiringEvent struct {
		ExpiresAt string `json:"expiresAt"`
	}
)

// WireEvent returns the name of an event on the wire and its payload, to be encoded as JSON; the name is "" if
// the event has no wire form.
func WireEvent(e domain.Event) (name string, payload any) {
	switch e := e.(type) {
	case domain.MessageSent:
		return eventMessage, newMessageEvent(e.Message)
	case domain.UserJoined:
		return eventUserJoined, systemEvent{"system", string(e.Conversation), string(e.User), timestamp(e.At)}
	case domain.UserLeft:
		return eventUserLeft, systemEvent{"system", string(e.Conversation), string(e.User), timestamp(e.At)}
	case domain.TypingChanged:
		return eventTyping, typingEvent{string(e.Conversation), string(e.User), e.IsTyping, timestamp(e.At)}
	case domain.MessageDelivered:
		return eventDelivered, newDeliveredEvent(e)
	case domain.ConversationUpdated:
		return eventUpdated, updatedEvent{"system", string(e.Conversation), timestamp(e.At), e.Changes}
	case domain.Announced:
		return string(e.Name), announcedEvent{"system", string(e.Conversation), timestamp(e.At), e.Data}
	case domain.ChunkAppended:
		return eventChunk, chunkEvent{string(e.Conversation), string(e.Message), e.Chunk.Index, e.Chunk.Delta, e.Aborted}
	case domain.TokenExpiring:
		return eventExpiring, expiringEvent{timestamp(e.ExpiresAt)}
	case domain.SessionEnded:
		return eventError, failureEvent{Failure: NewFailure(e.Reason)}
	}
	return "", nil
}

func newDeliveredEvent(e domain.MessageDelivered) deliveredEvent {
	out := deliveredEvent{
		ConversationID: string(e.Conversation), MessageID: string(e.Message), Seq: e.Seq, Expected: e.Expected,
		Delivered: e.Delivered, Pending: make([]string, len(e.Pending)), Status: "complete", Timestamp: timestamp(e.At),
	}
	for i, u := range e.Pending {
		out.Pending[i] = string(u)
	}
	if len(e.Pending) > 0 {
		out.Status = "partial"
	}
	return out
}

func newMessageEvent(m domain.Message) messageEvent {
	return messageEvent{
		Type: "message", ConversationID: string(m.Conversation), UserID: string(m.User), Content: m.Content,
		Timestamp: timestamp(m.At), MessageID: string(m.ID), Seq: m.Seq, Metadata: m.Metadata,
	}
}

// timestamp returns ISO 8601 in UTC with milliseconds, as JavaScript's Date.toISOString writes it.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
