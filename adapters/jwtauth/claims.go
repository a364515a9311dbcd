package jwtauth

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/domain"
)

const (
	// maxGrants is how many conversations a token may name.
	maxGrants = 1000
	// maxGrant is the length of the longest grant in bytes: a conversation id and a `*`.
	maxGrant = 129
)

// lastExpiry is the last time that RFC 3339 can write. Some issuers write `exp` in milliseconds,
// which is a year far behind it.
var lastExpiry = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// claims is what a token says.
type claims struct {
	jwt.RegisteredClaims
	// Conversations are ids, or prefixes that end in `*`.
	Conversations []string `json:"conversations,omitempty"`
}

// Validate checks the claims that are ours; jwt.Validator calls it beside its own checks.
func (c *claims) Validate() error {
	if _, err := domain.ParseUserID(c.Subject); err != nil {
		return err
	}
	if len(c.Conversations) > maxGrants {
		return errors.New("too many conversations")
	}
	for _, grant := range c.Conversations {
		if len(grant) > maxGrant {
			return errors.New("a conversation is too long")
		}
	}
	return nil
}

func (c *claims) identity() domain.Identity {
	expires := c.ExpiresAt.Time
	if expires.After(lastExpiry) {
		expires = lastExpiry
	}
	return domain.Identity{User: domain.UserID(c.Subject), ExpiresAt: expires, Grants: c.Conversations}
}
