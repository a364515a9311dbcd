package application

import (
	"context"

	"parley/domain"
)

const (
	// defaultPage and maxPage are how many messages a page has if its reader does not say, and at most.
	defaultPage = 50
	maxPage     = 200
	// maxPageBytes bounds a page by its contents.
	maxPageBytes = 1 << 20
)

// History returns a part of the conversation's log to those who are in it.
func (c *Chat) History(
	ctx context.Context, id domain.SessionID, conversation domain.ConversationID, p domain.Page,
) (domain.History, error) {
	if _, err := c.participant(id, conversation); err != nil {
		return domain.History{}, err
	}
	return c.Messages(ctx, conversation, p)
}

// Messages returns a part of the conversation's log.
func (c *Chat) Messages(ctx context.Context, conversation domain.ConversationID, p domain.Page) (domain.History, error) {
	if p.Limit <= 0 {
		p.Limit = defaultPage
	}
	p.Limit = min(p.Limit, maxPage)
	p.MaxBytes = maxPageBytes
	return c.log.Page(ctx, conversation, p)
}
