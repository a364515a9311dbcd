package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"parley/domain"
	"parley/ports"
)

// session is an open session.
type session struct {
	SessionID     string   `json:"sessionId"`
	UserID        string   `json:"userId"`
	ConnectedAt   string   `json:"connectedAt"`
	LastActivity  string   `json:"lastActivity"`
	ExpiresAt     string   `json:"expiresAt"`
	Conversations []string `json:"conversations"`
}

func newSession(s ports.Session) session {
	out := session{
		SessionID: string(s.ID), UserID: string(s.User), ConnectedAt: timestamp(s.ConnectedAt),
		LastActivity: timestamp(s.LastActivity), ExpiresAt: timestamp(s.ExpiresAt),
		Conversations: make([]string, len(s.Conversations)),
	}
	for i, c := range s.Conversations {
		out.Conversations[i] = string(c)
	}
	return out
}

// sessionList is a page. Next is the parameter `after` of the next page, "" if this is the last.
type sessionList struct {
	Sessions []session `json:"sessions"`
	Next     string    `json:"next,omitempty"`
}

func newSessionList(all []ports.Session, limit int) sessionList {
	entries, next := page(all, limit, func(s ports.Session) string { return string(s.ID) })
	list := sessionList{Sessions: make([]session, len(entries)), Next: next}
	for i, s := range entries {
		list.Sessions[i] = newSession(s)
	}
	return list
}

// maxSessionID bounds what is taken for the id of a session, in bytes. The server makes these ids itself, much shorter.
const maxSessionID = 128

func (b *backend) sessions(c echo.Context) error {
	limit, err := queryLimit(c)
	if err != nil {
		return err
	}
	var user domain.UserID
	if raw := c.QueryParam("userId"); raw != "" {
		if user, err = domain.ParseUserID(raw); err != nil {
			return err
		}
	}
	after := c.QueryParam("after")
	if len(after) > maxSessionID {
		return errAfter()
	}
	all, err := b.app.OpenSessions(c.Request().Context(), user, domain.SessionID(after), limit+1)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, newSessionList(all, limit))
}

func (b *backend) endSession(c echo.Context) error {
	id, err := pathParam(c, "sessionId")
	if err != nil {
		return err
	}
	if len(id) > maxSessionID {
		return domain.Errorf(domain.CodeNotFound, "there is no such session")
	}
	if err := b.app.EndSession(c.Request().Context(), domain.SessionID(id)); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// ended says how many sessions were ended.
type ended struct {
	Ended int `json:"ended"`
}

func (b *backend) endSessions(c echo.Context) error {
	id, err := pathParam(c, "userId")
	if err != nil {
		return err
	}
	user, err := domain.ParseUserID(id)
	if err != nil {
		return err
	}
	n, err := b.app.EndSessions(c.Request().Context(), user)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, ended{n})
}
