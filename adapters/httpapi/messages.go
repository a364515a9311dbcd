package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"parley/domain"
	"parley/ports"
)

// publishRequest asks to publish a message, or to begin one that is written bit by bit.
type publishRequest struct {
	Content   string          `json:"content"`
	MessageID *string         `json:"messageId"`
	UserID    *string         `json:"userId"`
	Metadata  json.RawMessage `json:"metadata"`
	Confirm   bool            `json:"confirm"`
	Stream    bool            `json:"stream"`
}

// publish returns what is asked of the application. The sender is self unless the request names another user.
func (r publishRequest) publish(c domain.ConversationID, self domain.UserID) (ports.Publish, error) {
	p := ports.Publish{Conversation: c, User: self, Content: r.Content, Confirm: r.Confirm}
	var err error
	if r.UserID != nil {
		if p.User, err = domain.ParseUserID(*r.UserID); err != nil {
			return p, err
		}
	}
	if r.MessageID != nil {
		if p.ID, err = domain.ParseMessageID(*r.MessageID); err != nil {
			return p, err
		}
	}
	p.Metadata, err = object("metadata", r.Metadata)
	return p, err
}

// receipt tells where an accepted message stands.
type receipt struct {
	MessageID string `json:"messageId"`
	Seq       uint64 `json:"seq"`
	Epoch     string `json:"epoch"`
	Timestamp string `json:"timestamp"`
	Duplicate bool   `json:"duplicate"`
}

func newReceipt(r ports.Receipt) receipt {
	return receipt{
		MessageID: string(r.Message), Seq: r.At.Seq, Epoch: string(r.At.Epoch),
		Timestamp: timestamp(r.Accepted), Duplicate: r.Duplicate,
	}
}

func (b *backend) publish(c echo.Context) error {
	conversation, err := pathConversation(c)
	if err != nil {
		return err
	}
	r, err := readBody[publishRequest](c, b.maxBody)
	if err != nil {
		return err
	}
	p, err := r.publish(conversation, service(c))
	if err != nil {
		return err
	}
	if r.Stream {
		return b.openStream(c, p)
	}
	accepted, err := b.app.Publish(c.Request().Context(), p)
	if err != nil {
		return err
	}
	return answerReceipt(c, accepted)
}

// answerReceipt answers 201 for a new message and 200 for a repeat.
func answerReceipt(c echo.Context, r ports.Receipt) error {
	status := http.StatusCreated
	if r.Duplicate {
		status = http.StatusOK
	}
	return c.JSON(status, newReceipt(r))
}

// message has the form of the event `message`, as clients get it.
type message struct {
	Type           string          `json:"type"`
	ConversationID string          `json:"conversationId"`
	UserID         string          `json:"userId"`
	Content        string          `json:"content"`
	Timestamp      string          `json:"timestamp"`
	MessageID      string          `json:"messageId"`
	Seq            uint64          `json:"seq"`
	Metadata       json.RawMessage `json:"metadata,omitempty"`
}

func newMessage(m domain.Message) message {
	return message{
		Type: "message", ConversationID: string(m.Conversation), UserID: string(m.User), Content: m.Content,
		Timestamp: timestamp(m.At), MessageID: string(m.ID), Seq: m.Seq, Metadata: m.Metadata,
	}
}

// history is a part of a conversation's log.
type history struct {
	Messages []message `json:"messages"`
	Epoch    string    `json:"epoch"`
	More     bool      `json:"more"`
}

func newHistory(h domain.History) history {
	out := history{Messages: make([]message, len(h.Messages)), Epoch: string(h.Epoch), More: h.More}
	for i, m := range h.Messages {
		out.Messages[i] = newMessage(m)
	}
	return out
}

// maxPageBytes bounds the content and metadata of one answer's messages, in bytes.
const maxPageBytes = 4 << 20

func (b *backend) messages(c echo.Context) error {
	conversation, err := pathConversation(c)
	if err != nil {
		return err
	}
	p := domain.Page{MaxBytes: maxPageBytes}
	if p.Before, err = querySeq(c, "before"); err != nil {
		return err
	}
	if p.After, err = querySeq(c, "after"); err != nil {
		return err
	}
	if p.Limit, err = queryLimit(c); err != nil {
		return err
	}
	h, err := b.app.Messages(c.Request().Context(), conversation, p)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, newHistory(h))
}
