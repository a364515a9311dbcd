package domain

import (
	"strings"
	"time"
)

// Identity is what a verified token says about its bearer.
type Identity struct {
	User UserID
	// ExpiresAt is when the token stops being valid; the zero time is never.
	ExpiresAt time.Time
	// Grants are the conversations that the token names: ids, or prefixes that end in `*`.
	Grants []string
	// Service says that the bearer is a backend, which may use the backends' API.
	Service bool
}

// Expired reports whether the token's time is over at now.
func (i Identity) Expired(now time.Time) bool {
	return !i.ExpiresAt.IsZero() && !i.ExpiresAt.After(now)
}

// granted reports whether a grant names the conversation.
func (i Identity) granted(c ConversationID) bool {
	for _, g := range i.Grants {
		if prefix, ok := strings.CutSuffix(g, "*"); ok {
			if strings.HasPrefix(string(c), prefix) {
				return true
			}
			continue
		}
		if g == string(c) {
			return true
		}
	}
	return false
}

// Access decides who may be in a conversation.
type Access string

const (
	// AccessClaims lets in those whose token has a grant for the conversation.
	AccessClaims Access = "claims"
	// AccessAuthenticated lets in everyone with a valid token.
	AccessAuthenticated Access = "authenticated"
)

// Check returns a CodeForbidden error unless the identity who may be in the conversation. The error is the same
// whether the conversation exists or not.
func (a Access) Check(who Identity, c ConversationID) error {
	if a == AccessAuthenticated || who.granted(c) {
		return nil
	}
	return Errorf(CodeForbidden, "you may not take part in this conversation")
}
