package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"parley/domain"
)

// typingEvent is the one event of the wire contract that a backend may send here; all others are custom.
const typingEvent = "typing"

// eventRequest tells a conversation that a user is typing, or sends it an event that the backend has defined.
type eventRequest struct {
	Event string `json:"event"`
	// UserID and IsTyping belong to typing alone, Data to the others.
	UserID   *string         `json:"userId"`
	IsTyping *bool           `json:"isTyping"`
	Data     json.RawMessage `json:"data"`
}

// typing returns the user, which is self unless another is named, and whether that user is typing.
func (r eventRequest) typing(self domain.UserID) (user domain.UserID, isTyping bool, err error) {
	if isSet(r.Data) {
		return "", false, domain.Errorf(domain.CodeInvalidPayload, "data does not belong to typing")
	}
	if r.IsTyping == nil {
		return "", false, domain.Errorf(domain.CodeInvalidPayload, "isTyping is missing")
	}
	if r.UserID == nil {
		return self, *r.IsTyping, nil
	}
	user, err = domain.ParseUserID(*r.UserID)
	return user, *r.IsTyping, err
}

// custom returns the name and the data of an event that the backend has defined; the data is nil if there is none.
func (r eventRequest) custom() (domain.EventName, []byte, error) {
	name, err := domain.ParseEventName(r.Event)
	if err != nil {
		return "", nil, err
	}
	if r.UserID != nil || r.IsTyping != nil {
		return "", nil, domain.Errorf(domain.CodeInvalidPayload, "userId and isTyping belong to typing alone: put them into data")
	}
	if !isSet(r.Data) {
		return name, nil, nil
	}
	return name, r.Data, nil
}

func (b *backend) announce(c echo.Context) error {
	conversation, err := pathConversation(c)
	if err != nil {
		return err
	}
	r, err := readBody[eventRequest](c, b.maxBody)
	if err != nil {
		return err
	}
	if err := b.tell(c, conversation, r); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (b *backend) tell(c echo.Context, conversation domain.ConversationID, r eventRequest) error {
	ctx := c.Request().Context()
	if r.Event == typingEvent {
		user, isTyping, err := r.typing(service(c))
		if err != nil {
			return err
		}
		return b.app.ShowTyping(ctx, conversation, user, isTyping)
	}
	name, data, err := r.custom()
	if err != nil {
		return err
	}
	return b.app.Announce(ctx, conversation, name, data)
}
