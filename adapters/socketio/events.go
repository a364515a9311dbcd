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
)

// The events that the server sends, beside eventMessage and eventTyping.
const (
	eventUserJoined = "user_joined"
	eventUserLeft   = "user_left"
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
	// Echo false leaves out the sending socket.
	Echo *bool `json:"echo"`
}

func (r messageRequest) send() (ports.Send, error) {
	s := ports.Send{Content: r.Content, NoEcho: r.Echo != nil && !*r.Echo}
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
	presenceAck struct {
		OK      bool     `json:"ok"`
		Members []member `json:"members"`
	}
	member struct {
		UserID string `json:"userId"`
	}
)

func newJoinAck(j ports.Joined) joinAck {
	ack := joinAck{
		OK: true, ConversationID: string(j.Conversation), Epoch: string(j.At.Epoch), Seq: j.At.Seq,
		Members: members(j.Members), Recovered: j.Recovered, Reason: j.Reason,
		Messages: make([]messageEvent, len(j.Messages)),
	}
	for i, m := range j.Messages {
		ack.Messages[i] = newMessageEvent(m)
	}
	return ack
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
	}
	return "", nil
}

func newMessageEvent(m domain.Message) messageEvent {
	return messageEvent{
		Type: "message", ConversationID: string(m.Conversation), UserID: string(m.User), Content: m.Content,
		Timestamp: timestamp(m.At), MessageID: string(m.ID), Seq: m.Seq, Metadata: m.Metadata,
	}
}

// timestamp is ISO 8601 in UTC with milliseconds, as JavaScript's Date.toISOString writes it.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
