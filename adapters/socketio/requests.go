package socketio

import (
	"bytes"
	"encoding/json"

	"parley/domain"
	"parley/ports"
)

// The events that clients send.
const (
	eventJoin     = "join_conversation"
	eventLeave    = "leave_conversation"
	eventMessage  = "message"
	eventTyping   = "typing"
	eventPresence = "presence"
	eventSeen     = "message_ack"
	eventHistory  = "history"
	eventRefresh  = "refresh_token"
)

// connectAuth is the payload of CONNECT.
type connectAuth struct {
	Token string `json:"token"`
}

// conversationRequest names a conversation: `"id"` or `{"conversationId": "id"}`.
type conversationRequest struct {
	ConversationID string `json:"conversationId"`
}

// UnmarshalJSON accepts both forms.
func (r *conversationRequest) UnmarshalJSON(data []byte) error {
	if isString(data) {
		return json.Unmarshal(data, &r.ConversationID)
	}
	type object conversationRequest // without this method
	return json.Unmarshal(data, (*object)(r))
}

// joinRequest is `"id"`, or an object that may also say how far the client has read.
type joinRequest struct {
	ConversationID string    `json:"conversationId"`
	After          *position `json:"after"`
}

// UnmarshalJSON accepts both forms.
func (r *joinRequest) UnmarshalJSON(data []byte) error {
	if isString(data) {
		return json.Unmarshal(data, &r.ConversationID)
	}
	type object joinRequest // without this method
	return json.Unmarshal(data, (*object)(r))
}

func isString(data []byte) bool { return bytes.HasPrefix(data, []byte(`"`)) }

// position is a place in a conversation.
type position struct {
	Epoch string  `json:"epoch"`
	Seq   *uint64 `json:"seq"`
}

func (r joinRequest) join() (ports.Join, error) {
	c, err := domain.ParseConversationID(r.ConversationID)
	j := ports.Join{Conversation: c}
	if err != nil || r.After == nil {
		return j, err
	}
	if r.After.Epoch == "" || r.After.Seq == nil {
		return j, domain.Errorf(domain.CodeInvalidPayload, "after must have epoch and seq")
	}
	j.After = &domain.Position{Epoch: domain.Epoch(r.After.Epoch), Seq: *r.After.Seq}
	return j, nil
}

// messageRequest asks to send a message.
type messageRequest struct {
	ConversationID string          `json:"conversationId"`
	Content        string          `json:"content"`
	MessageID      *string         `json:"messageId"`
	Metadata       json.RawMessage `json:"metadata"`
	// Confirm asks the recipients for acks, which message_delivered reports in the end.
	Confirm bool `json:"confirm"`
	// Echo, if false, leaves out the sending socket.
	Echo *bool `json:"echo"`
}

func (r messageRequest) send() (ports.Send, error) {
	s := ports.Send{Content: r.Content, NoEcho: r.Echo != nil && !*r.Echo, Confirm: r.Confirm}
	var err error
	if s.Conversation, err = domain.ParseConversationID(r.ConversationID); err != nil {
		return s, err
	}
	if r.MessageID != nil {
		if s.ID, err = domain.ParseMessageID(*r.MessageID); err != nil {
			return s, err
		}
	}
	switch {
	case len(r.Metadata) == 0 || string(r.Metadata) == "null":
	case r.Metadata[0] == '{':
		s.Metadata = r.Metadata
	default:
		return s, domain.Errorf(domain.CodeInvalidPayload, "metadata must be an object")
	}
	return s, nil
}

// typingRequest says that the user started or stopped typing.
type typingRequest struct {
	ConversationID string `json:"conversationId"`
	IsTyping       *bool  `json:"isTyping"`
}

// seenRequest says that everything up to seq was received.
type seenRequest struct {
	ConversationID string  `json:"conversationId"`
	Seq            *uint64 `json:"seq"`
}

// historyRequest asks for a page of the conversation's log.
type historyRequest struct {
	ConversationID string  `json:"conversationId"`
	Before         *uint64 `json:"before"`
	After          *uint64 `json:"after"`
	Limit          *int    `json:"limit"`
}

func (r historyRequest) page() (domain.ConversationID, domain.Page, error) {
	c, err := domain.ParseConversationID(r.ConversationID)
	p := domain.Page{Before: r.Before, After: r.After}
	if err == nil && r.Limit != nil {
		if p.Limit = *r.Limit; p.Limit < 1 {
			err = domain.Errorf(domain.CodeInvalidPayload, "limit must be 1 or more")
		}
	}
	return c, p, err
}

// refreshRequest brings a new token.
type refreshRequest struct {
	Token string `json:"token"`
}
