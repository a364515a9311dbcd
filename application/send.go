package application

import (
	"context"
	"time"

	"github.com/google/uuid"

	"parley/domain"
	"parley/ports"
)

// Send accepts a message from a session.
func (c *Chat) Send(ctx context.Context, id domain.SessionID, send ports.Send) (ports.Receipt, error) {
	user, err := c.participant(id, send.Conversation)
	if err != nil {
		return ports.Receipt{}, err
	}
	d := domain.Draft{
		Conversation: send.Conversation, User: user, ID: send.ID, Content: send.Content, Metadata: send.Metadata,
	}
	if err := d.Check(c.cfg.MaxContent); err != nil {
		return ports.Receipt{}, err
	}
	return c.accept(ctx, d, audience{from: id, noEcho: send.NoEcho, confirm: send.Confirm})
}

// Publish accepts a message from a backend.
func (c *Chat) Publish(ctx context.Context, p ports.Publish) (ports.Receipt, error) {
	d := draft(p)
	if err := d.Check(c.cfg.MaxContent); err != nil {
		return ports.Receipt{}, err
	}
	return c.accept(ctx, d, audience{confirm: p.Confirm})
}

// audience says who gets a message, and whether they are to confirm it.
type audience struct {
	// from is the session that sends the message, "" for a backend. noEcho leaves it out.
	from    domain.SessionID
	noEcho  bool
	confirm bool
}

// accept appends the message to the log and sends it to the room.
func (c *Chat) accept(ctx context.Context, d domain.Draft, a audience) (ports.Receipt, error) {
	if err := identify(&d); err != nil {
		return ports.Receipt{}, err
	}
	lock := c.locks.of(d.Conversation)
	lock.Lock()
	defer lock.Unlock()
	return c.acceptLocked(ctx, d, a)
}

// acceptLocked is accept for a caller who holds the conversation's lock. It reads the recipients before it appends the
// message: nothing can fail after Append, so every message that is accepted is also sent.
func (c *Chat) acceptLocked(ctx context.Context, d domain.Draft, a audience) (ports.Receipt, error) {
	if err := c.accepting(); err != nil {
		return ports.Receipt{}, err
	}
	to, err := c.rooms.Sessions(ctx, d.Conversation.Room())
	if err != nil {
		return ports.Receipt{}, err
	}
	var members []domain.UserID
	if a.confirm {
		if members, err = c.awaitable(ctx, d); err != nil {
			return ports.Receipt{}, err
		}
	}
	// The clock is read under the lock: times rise with seq.
	message, duplicate, err := c.log.Append(ctx, d, time.Now())
	if err != nil {
		return ports.Receipt{}, err
	}
	if !duplicate {
		c.tell(to, message, members, a)
	}
	receipt := ports.Receipt{
		Message:   message.ID,
		At:        domain.Position{Epoch: message.Epoch, Seq: message.Seq},
		Accepted:  message.At,
		Duplicate: duplicate,
	}
	c.completeStream(to, message, receipt)
	return receipt, nil
}

// tell sends an accepted message. The caller holds the conversation's lock.
func (c *Chat) tell(to []domain.SessionID, m domain.Message, members []domain.UserID, a audience) {
	c.endTyping(to, typist{m.Conversation, m.User})
	event := domain.MessageSent{Message: m}
	if a.confirm {
		event.Delivery = c.deliveries.open(m, members)
	}
	var except domain.SessionID
	if a.noEcho {
		except = a.from
	}
	c.out.Broadcast(to, except, event)
}

// draft returns the message that the backend asks to publish.
func draft(p ports.Publish) domain.Draft {
	return domain.Draft{Conversation: p.Conversation, User: p.User, ID: p.ID, Content: p.Content, Metadata: p.Metadata}
}

// identify gives a draft without an id a UUID of version 7: these sort by time (RFC 9562, section 5.7).
func identify(d *domain.Draft) error {
	if d.ID != "" {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	d.ID = domain.MessageID(id.String())
	return nil
}
