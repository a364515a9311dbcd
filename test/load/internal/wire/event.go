package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// timestampLayout is the contract's form of timestamps: ISO 8601 in UTC with milliseconds.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// AppendAck appends the text of an empty answer to an event that asked for one.
func AppendAck(dst []byte, id int64) []byte {
	dst = append(dst, "43"...)
	dst = strconv.AppendInt(dst, id, 10)
	return append(dst, "[]"...)
}

// Report is a message_delivered event.
type Report struct {
	ConversationID string   `json:"conversationId"`
	MessageID      string   `json:"messageId"`
	Seq            uint64   `json:"seq"`
	Expected       int      `json:"expected"`
	Delivered      int      `json:"delivered"`
	Pending        []string `json:"pending"`
	Status         string   `json:"status"`
	Timestamp      string   `json:"timestamp"`
}

// DecodeReport decodes the body of a message_delivered event and checks that its fields keep the
// contract and agree with each other.
func DecodeReport(body []byte, conversation string) (r Report, err error) {
	if err := decodePayload(body, &r); err != nil {
		return r, err
	}
	status := "complete"
	if len(r.Pending) > 0 {
		status = "partial"
	}
	switch {
	case r.ConversationID != conversation:
		return r, fmt.Errorf("conversationId is %q, joined %q", r.ConversationID, conversation)
	case r.MessageID == "" || r.Seq == 0:
		return r, errors.New("messageId or seq is missing")
	case r.Pending == nil:
		return r, errors.New("pending is missing")
	case r.Delivered+len(r.Pending) != r.Expected:
		return r, fmt.Errorf("%d delivered and %d pending of %d", r.Delivered, len(r.Pending), r.Expected)
	case r.Status != status:
		return r, fmt.Errorf("status is %q with %d pending", r.Status, len(r.Pending))
	}
	return r, checkTimestamp(r.Timestamp)
}

// CheckTyping checks the body of a typing event against the contract.
func CheckTyping(body []byte, conversation string) error {
	var e struct {
		ConversationID string `json:"conversationId"`
		UserID         string `json:"userId"`
		IsTyping       *bool  `json:"isTyping"`
		Timestamp      string `json:"timestamp"`
	}
	if err := decodePayload(body, &e); err != nil {
		return err
	}
	switch {
	case e.ConversationID != conversation:
		return fmt.Errorf("conversationId is %q, joined %q", e.ConversationID, conversation)
	case e.UserID == "":
		return errors.New("userId is empty")
	case e.IsTyping == nil:
		return errors.New("isTyping is missing")
	}
	return checkTimestamp(e.Timestamp)
}

// decodePayload decodes the first argument of an event, `["name",{…}]`.
func decodePayload(body []byte, into any) error {
	var args []json.RawMessage
	if err := json.Unmarshal(body, &args); err != nil {
		return fmt.Errorf("event is not a JSON array: %w", err)
	}
	if len(args) < 2 {
		return errors.New("event has no payload")
	}
	if err := json.Unmarshal(args[1], into); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	return nil
}

func checkTimestamp(s string) error {
	if _, err := time.Parse(timestampLayout, s); err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	return nil
}
