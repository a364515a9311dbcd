package application

import (
	"context"

	"parley/domain"
)

const (
	// defaultPage is how many messages a page for a client has if the client does not say, maxPage how many it
	// has at most.
	defaultPage = 50
	maxPage     = 200
	// maxPageBytes bounds the contents of a page for a client.
	maxPageBytes = 1 << 20
)

// History returns a part of the conversation's log to a session that is in the conversation. The size of the page is
// bounded, whatever the client asks for.
func (c *Chat) History(
	ctx context.Context, id domain.SessionID, conversation domain.ConversationID, p domain.Page,
) (domain.History, error) {
	if _, err := c.participant(id, conversation); err != nil {
		return domain.History{}, err
	}
	if p.Limit <= 0 {
		p.Limit = defaultPage
	}
	p.Limit, p.MaxBytes = min(p.Limit, maxPage), maxPageBytes
	return c.log.Page(ctx, conversation, p)
}

// Messages returns a part of the conversation's log to a backend, which sets its own limits.
func (c *Chat) Messages(ctx context.Context, conversation domain.ConversationID, p domain.Page) (domain.History, error) {
	return c.log.Page(ctx, conversation, p)
}
