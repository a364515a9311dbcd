package application

import (
	"context"
	"errors"
	"time"

	"parley/domain"
	"parley/ports"
)

// OpenStream begins a message that is written bit by bit. If it was begun before, it says where the message stands.
func (c *Chat) OpenStream(ctx context.Context, p ports.Publish) (ports.Stream, error) {
	d := draft(p)
	if err := d.CheckMetadata(); err != nil {
		return ports.Stream{}, err
	}
	if err := identify(&d); err != nil {
		return ports.Stream{}, err
	}
	lock := c.locks.of(p.Conversation)
	lock.Lock()
	defer lock.Unlock()

	if err := c.accepting(); err != nil {
		return ports.Stream{}, err
	}
	if one := c.streams.find(d.Conversation, d.ID); one != nil {
		if one.receipt != nil || one.Draft.User != d.User {
			return ports.Stream{}, domain.Errorf(domain.CodeConflict, "the message is complete, or another user's")
		}
		return one.at(), nil
	}
	d.Content = ""
	now := time.Now()
	one, err := c.streams.begin(d, p.Confirm, now)
	if err != nil {
		return ports.Stream{}, err
	}
	if p.Content != "" {
		if err := c.appendChunk(ctx, one, domain.Chunk{Delta: p.Content}, now); err != nil {
			c.streams.end(one)
			c.streams.forget(one)
			return ports.Stream{}, err
		}
	}
	c.endWhenIdle(one, ports.StreamIdle)
	return one.at(), nil
}

// AppendStream adds a chunk and sends it to the conversation's sessions.
func (c *Chat) AppendStream(
	ctx context.Context, conversation domain.ConversationID, m domain.MessageID, chunk domain.Chunk,
) (ports.Stream, error) {
	lock := c.locks.of(conversation)
	lock.Lock()
	defer lock.Unlock()

	if err := c.accepting(); err != nil {
		return ports.Stream{}, err
	}
	one := c.streams.find(conversation, m)
	switch {
	case one == nil:
		return ports.Stream{}, errNoStream()
	case one.receipt == nil:
		if err := c.appendChunk(ctx, one, chunk, time.Now()); err != nil {
			return ports.Stream{}, err
		}
	case chunk.Index < 0 || chunk.Index >= one.next:
		return ports.Stream{}, domain.Errorf(domain.CodeConflict, "the message is complete")
	}
	return one.at(), nil
}

// appendChunk adds a chunk to an open stream and sends it. The caller holds the conversation's lock.
func (c *Chat) appendChunk(ctx context.Context, one *stream, chunk domain.Chunk, now time.Time) error {
	to, err := c.rooms.Sessions(ctx, one.Draft.Conversation.Room())
	if err != nil {
		return err
	}
	appended, err := c.streams.append(one, chunk, c.cfg.MaxContent)
	if err != nil || !appended {
		return err
	}
	one.heard = now
	c.out.Broadcast(to, "", domain.ChunkAppended{Conversation: one.Draft.Conversation, Message: one.Draft.ID, Chunk: chunk})
	return nil
}

// CloseStream makes the chunks one message and sends it.
func (c *Chat) CloseStream(
	ctx context.Context, conversation domain.ConversationID, m domain.MessageID, chunks int,
) (ports.Receipt, error) {
	lock := c.locks.of(conversation)
	lock.Lock()
	defer lock.Unlock()

	one := c.streams.find(conversation, m)
	if one == nil {
		return ports.Receipt{}, errNoStream()
	}
	if next := one.at().Next; chunks != ports.AnyChunks && chunks != next {
		return ports.Receipt{}, domain.Errorf(domain.CodeConflict, "the message has %d chunks, not %d", next, chunks)
	}
	if one.receipt != nil {
		again := *one.receipt
		again.Duplicate = true
		return again, nil
	}
	d := one.Complete()
	if err := d.Check(c.cfg.MaxContent); err != nil {
		return ports.Receipt{}, err
	}
	return c.acceptLocked(ctx, d, audience{confirm: one.confirm})
}

// completeStream ends the stream of an accepted message, if there is one, whether the message came by CloseStream or
// not: a backend that does not know how far it got may publish the whole message instead. The caller holds the
// conversation's lock.
func (c *Chat) completeStream(to []domain.SessionID, m domain.Message, receipt ports.Receipt) {
	one := c.streams.find(m.Conversation, m.ID)
	if one == nil || one.receipt != nil || one.Draft.User != m.User {
		return
	}
	next := one.Next()
	c.streams.end(one)
	kept := receipt // a copy: &receipt would move the receipt of every message to the heap
	one.receipt, one.heard = &kept, time.Now()
	if receipt.Duplicate {
		// The message was sent before the stream was opened, so none will follow the chunks.
		c.tellAborted(to, one, next)
	}
}

// AbortStream ends a stream without a message.
func (c *Chat) AbortStream(ctx context.Context, conversation domain.ConversationID, m domain.MessageID) error {
	lock := c.locks.of(conversation)
	lock.Lock()
	defer lock.Unlock()

	one := c.streams.find(conversation, m)
	if one == nil || one.receipt != nil {
		return errNoStream()
	}
	return c.abort(ctx, one)
}

// abort ends an open stream and tells the conversation's sessions. The caller holds the conversation's lock.
func (c *Chat) abort(ctx context.Context, one *stream) error {
	to, err := c.rooms.Sessions(ctx, one.Draft.Conversation.Room())
	if err != nil {
		return err
	}
	next := one.Next()
	c.streams.end(one)
	c.streams.forget(one)
	c.tellAborted(to, one, next)
	return nil
}

// tellAborted tells the sessions that no message will follow the chunks. next is the number of chunks. The caller holds
// the conversation's lock.
func (c *Chat) tellAborted(to []domain.SessionID, one *stream, next int) {
	e := domain.ChunkAppended{
		Conversation: one.Draft.Conversation, Message: one.Draft.ID, Chunk: domain.Chunk{Index: next}, Aborted: true,
	}
	c.out.Broadcast(to, "", e)
	c.keepForDropped(e.Conversation, "", e)
}

// abortAll aborts the open streams. Close calls it when nothing can be appended any more.
func (c *Chat) abortAll() {
	ctx, cancel := cleanup(context.Background())
	defer cancel()
	c.inEach(c.streams.conversations(), "a stream was not aborted", "", func(conversation domain.ConversationID) error {
		var failure error
		for _, one := range c.streams.here(conversation) {
			failure = errors.Join(failure, c.abort(ctx, one))
		}
		return failure
	})
}

// endWhenIdle calls endIfIdle when wait has passed. The caller holds the conversation's lock.
func (c *Chat) endWhenIdle(one *stream, wait time.Duration) {
	conversation := one.Draft.Conversation
	one.timer = c.timers.after(wait, func() {
		ctx, cancel := cleanup(context.Background())
		defer cancel()
		err := c.underLock(conversation, func() error { return c.endIfIdle(ctx, one) })
		if err != nil {
			c.logger.Warn("an idle stream was not ended", "conversation", conversation, "error", err)
		}
	})
}

// endIfIdle aborts a stream that has got no chunk for ports.StreamIdle, forgets a complete one after
// ports.DuplicateWindow, and otherwise looks again when that time is over. It also looks again after an abort that
// failed. The caller holds the conversation's lock.
func (c *Chat) endIfIdle(ctx context.Context, one *stream) error {
	if c.streams.find(one.Draft.Conversation, one.Draft.ID) != one {
		return nil // aborted
	}
	may := ports.StreamIdle
	if one.receipt != nil {
		may = ports.DuplicateWindow
	}
	if left := may - time.Since(one.heard); left > 0 {
		c.endWhenIdle(one, left)
		return nil
	}
	if one.receipt != nil {
		c.streams.forget(one)
		return nil
	}
	if err := c.abort(ctx, one); err != nil {
		c.endWhenIdle(one, may)
		return err
	}
	return nil
}

// at returns the state of the stream, whether it is open or complete.
func (one *stream) at() ports.Stream {
	if one.receipt != nil {
		return ports.Stream{Message: one.Draft.ID, Next: one.next}
	}
	return ports.Stream{Message: one.Draft.ID, Next: one.Next()}
}

func errNoStream() error {
	return domain.Errorf(domain.CodeNotFound, "no such message is being written")
}
