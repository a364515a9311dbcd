package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"parley/domain"
	"parley/ports"
)

// conversation is a conversation that has members.
type conversation struct {
	ConversationID string `json:"conversationId"`
	// Members counts users, Sessions their sessions.
	Members  int `json:"members"`
	Sessions int `json:"sessions"`
}

// conversationList is a page. Next is the parameter `after` of the next page, "" if this is the last.
type conversationList struct {
	Conversations []conversation `json:"conversations"`
	Next          string         `json:"next,omitempty"`
}

func newConversationList(all []ports.Conversation, limit int) conversationList {
	entries, next := page(all, limit, func(c ports.Conversation) string { return string(c.ID) })
	list := conversationList{Conversations: make([]conversation, len(entries)), Next: next}
	for i, c := range entries {
		list.Conversations[i] = conversation{string(c.ID), c.Members, c.Sessions}
	}
	return list
}

func (b *backend) conversations(c echo.Context) error {
	limit, err := queryLimit(c)
	if err != nil {
		return err
	}
	var after domain.ConversationID
	if raw := c.QueryParam("after"); raw != "" {
		if after, err = domain.ParseConversationID(raw); err != nil {
			return errAfter()
		}
	}
	all, err := b.app.Conversations(c.Request().Context(), after, limit+1)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, newConversationList(all, limit))
}

func errAfter() error {
	return domain.Errorf(domain.CodeInvalidPayload, "after must be an id: the next of the page before")
}

// member is a user who is present.
type member struct {
	UserID string `json:"userId"`
}

type memberList struct {
	Members []member `json:"members"`
}

func newMemberList(users []domain.UserID) memberList {
	list := memberList{Members: make([]member, len(users))}
	for i, u := range users {
		list.Members[i] = member{string(u)}
	}
	return list
}

func (b *backend) members(c echo.Context) error {
	conversation, err := pathConversation(c)
	if err != nil {
		return err
	}
	users, err := b.app.Members(c.Request().Context(), conversation)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, newMemberList(users))
}

// updateRequest tells what changed about a conversation.
type updateRequest struct {
	Changes json.RawMessage `json:"changes"`
}

func (b *backend) update(c echo.Context) error {
	conversation, err := pathConversation(c)
	if err != nil {
		return err
	}
	r, err := readBody[updateRequest](c, b.maxBody)
	if err != nil {
		return err
	}
	changes, err := object("changes", r.Changes)
	if err != nil {
		return err
	}
	if changes == nil {
		return domain.Errorf(domain.CodeInvalidPayload, "changes is missing")
	}
	if err := b.app.Update(c.Request().Context(), conversation, changes); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
