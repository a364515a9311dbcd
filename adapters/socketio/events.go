package socketio

import (
	"bytes"
	"encoding/json"
	"time"

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

// The events that the server sends, beside eventMessage and eventTyping.
const (
	eventUserJoined = "user_joined"
	eventUserLeft   = "user_left"
	eventDelivered  = "message_delivered"
	eventUpdated    = "conversation_updated"
	eventChunk      = "message_chunk"
	eventExpiring   = "token_expiring"
	eventError      = "error"
)

// connectAuth is the payload of CONNECT.
type connectAuth struct {
	Token string `json:"token"`
}

// conversationRequest names a conversation: `"id"` or `{"conversationId": "id"}`.
type conversationRequest struct {
	ConversationID string `json:"conversationId"`
}

// UnmarshalJSON takes both forms.
func (r *conversationRequest) UnmarshalJSON(data []byte) error {
	if isString(data) {
		return json.Unmarshal(data, &r.ConversationID)
	}
	type object conversationRequest // without this method
	return json.Unmarshal(data, (*object)(r))
}

// joinRequest is `"id"` or an object, with the last place that the client has seen.
type joinRequest struct {
	ConversationID string    `json:"conversationId"`
	After          *position `json:"after"`
}

// UnmarshalJSON takes both forms.
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
	// Confirm asks the recipients for acks, and for message_delivered in the end.
	Confirm bool `json:"confirm"`
	// Echo false leaves out the sending socket.
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

// typingRequest tells that the user started or stopped typing.
type typingRequest struct {
	ConversationID string `json:"conversationId"`
	IsTyping       *bool  `json:"isTyping"`
}

// seenRequest tells that everything up to seq was received.
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

// The answers to clients' events.
type (
	doneAck struct {
		OK bool `json:"ok"`
	}
	leaveAck struct {
		OK             bool   `json:"ok"`
		ConversationID string `json:"conversationId"`
	}
	joinAck struct {
		OK             bool           `json:"ok"`
		ConversationID string         `json:"conversationId"`
		Epoch          string         `json:"epoch"`
		Seq            uint64         `json:"seq"`
		Members        []member       `json:"members"`
		Recovered      bool           `json:"recovered"`
		Reason         string         `json:"reason,omitempty"`
		Messages       []messageEvent `json:"messages"`
	}
	messageAck struct {
		OK        bool   `json:"ok"`
		MessageID string `json:"messageId"`
		Seq       uint64 `json:"seq"`
		Epoch     string `json:"epoch"`
		Timestamp string `json:"timestamp"`
		Duplicate bool   `json:"duplicate"`
	}
	historyAck struct {
		OK       bool           `json:"ok"`
		Messages []messageEvent `json:"messages"`
		Epoch    string         `json:"epoch"`
		More     bool           `json:"more"`
	}
	refreshAck struct {
		OK bool `json:"ok"`
		// ExpiresAt is absent if the token does not expire.
		ExpiresAt string `json:"expiresAt,omitempty"`
		// Left are the conversations that the new token does not let the session be in.
		Left []string `json:"left,omitempty"`
	}
	presenceAck struct {
		OK      bool     `json:"ok"`
		Members []member `json:"members"`
	}
	member struct {
		UserID string `json:"userId"`
	}
)

func newJoinAck(j ports.Joined) joinAck {
	return joinAck{
		OK: true, ConversationID: string(j.Conversation), Epoch: string(j.At.Epoch), Seq: j.At.Seq,
		Members: members(j.Members), Recovered: j.Recovered, Reason: j.Reason, Messages: messages(j.Messages),
	}
}

func newHistoryAck(h domain.History) historyAck {
	return historyAck{OK: true, Messages: messages(h.Messages), Epoch: string(h.Epoch), More: h.More}
}

func newRefreshAck(r ports.Refreshed) refreshAck {
	ack := refreshAck{OK: true}
	if !r.ExpiresAt.IsZero() {
		ack.ExpiresAt = timestamp(r.ExpiresAt)
	}
	for _, c := range r.Left {
		ack.Left = append(ack.Left, string(c))
	}
	return ack
}

func messages(ms []domain.Message) []messageEvent {
	out := make([]messageEvent, len(ms))
	for i, m := range ms {
		out[i] = newMessageEvent(m)
	}
	return out
}

func newMessageAck(r ports.Receipt) messageAck {
	return messageAck{
		OK: true, MessageID: string(r.Message), Seq: r.At.Seq, Epoch: string(r.At.Epoch),
		Timestamp: timestamp(r.Accepted), Duplicate: r.Duplicate,
	}
}

func members(users []domain.UserID) []member {
	out := make([]member, len(users))
	for i, u := range users {
		out[i] = member{UserID: string(u)}
	}
	return out
}

// The events to clients.
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

// WireEvent returns the name and the payload, to be encoded as JSON, of what clients are told; the name
// "" if the event has no wire form.
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

// timestamp is ISO 8601 in UTC with milliseconds, as JavaScript's Date.toISOString writes it.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
