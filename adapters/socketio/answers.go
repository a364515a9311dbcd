package socketio

import (
	"parley/domain"
	"parley/ports"
)

// The acks of the clients' events.
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
		// Left are the conversations that the session was taken out of because the new token does not allow them.
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
