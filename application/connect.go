package application

import (
	"context"

	"parley/domain"
)

// Authenticate verifies a token without opening anything.
func (c *Chat) Authenticate(ctx context.Context, token string) (domain.Identity, error) {
	return c.auth.Authenticate(ctx, token)
}

// Connect verifies the token and opens a session.
func (c *Chat) Connect(ctx context.Context, id domain.SessionID, token string) (domain.Identity, error) {
	who, err := c.auth.Authenticate(ctx, token)
	if err != nil {
		return domain.Identity{}, err
	}
	if err := c.sessions.add(id, who, nil); err != nil {
		return domain.Identity{}, err
	}
	return who, nil
}
