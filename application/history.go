package application

import (
	"context"

	"parley/domain"
)

const (
	// defaultPage and maxPage are how many messages a client's page has if it does not say, and at most.
	defaultPage = 50
	maxPage     = 200
	// maxPageBytes bounds a client's page by its contents.
	maxPageBytes = 1 << 20
)

// History returns a part of the conversation's log to those who are in it. How much of it a page may be is
// not left to them.
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

// Messages returns a part of the conversation's log, as long as the backend asks.
func (c *Chat) Messages(ctx context.Context, conversation domain.ConversationID, p domain.Page) (domain.History, error) {
	return c.log.Page(ctx, conversation, p)
}
