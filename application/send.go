package application

import (
	"context"
	"time"

	"github.com/google/uuid"

	"parley/domain"
	"parley/ports"
)

// Send accepts a message and tells the room. The recipients are read before the message is
// appended: after Append nothing can fail, so no message is accepted that was not sent to all.
func (c *Chat) Send(ctx context.Context, id domain.SessionID, send ports.Send) (ports.Receipt, error) {
	user, err := c.participant(id, send.Conversation)
	if err != nil {
		return ports.Receipt{}, err
	}
	draft, err := c.draft(user, send)
	if err != nil {
		return ports.Receipt{}, err
	}
	lock := c.locks.of(send.Conversation)
	lock.Lock()
	defer lock.Unlock()

	to, err := c.rooms.Sessions(ctx, send.Conversation.Room())
	if err != nil {
		return ports.Receipt{}, err
	}
	// The clock is read under the lock: times rise with seq.
	message, duplicate, err := c.log.Append(ctx, draft, time.Now())
	if err != nil {
		return ports.Receipt{}, err
	}
	if !duplicate {
		var except domain.SessionID
		if send.NoEcho {
			except = id
		}
		c.out.Broadcast(to, except, domain.MessageSent{Message: message})
	}
	return ports.Receipt{
		Message:   message.ID,
		At:        domain.Position{Epoch: message.Epoch, Seq: message.Seq},
		Accepted:  message.At,
		Duplicate: duplicate,
	}, nil
}

// draft returns the message to be, checked, with an id if the client gave none. UUIDs of version 7
// sort by time (RFC 9562, section 5.7).
func (c *Chat) draft(user domain.UserID, send ports.Send) (domain.Draft, error) {
	d := domain.Draft{
		Conversation: send.Conversation, User: user, ID: send.ID, Content: send.Content, Metadata: send.Metadata,
	}
	if err := d.Check(c.cfg.MaxContent); err != nil {
		return d, err
	}
	if d.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return d, err
		}
		d.ID = domain.MessageID(id.String())
	}
	return d, nil
}
