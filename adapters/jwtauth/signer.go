package jwtauth

import (
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/domain"
)

// Signer makes tokens that an Authenticator with the same Config accepts. It is for development: in production, the
// platform that knows the users signs their tokens.
type Signer struct{ cfg Config }

// NewSigner returns a signer with the config's Secret, Issuer and Audience.
func NewSigner(cfg Config) *Signer { return &Signer{cfg: cfg} }

// Sign returns a token for the user, and when it expires: ttl from now, rounded up to a whole second. grants are
// conversation ids, or prefixes that end in `*`. Neither the user nor the grants are checked. The error is that of
// encoding or signing.
func (s *Signer) Sign(user domain.UserID, grants []string, ttl time.Duration) (token string, expires time.Time, err error) {
	return s.sign(&claims{RegisteredClaims: jwt.RegisteredClaims{Subject: string(user)}, Conversations: grants}, ttl)
}

// SignService is Sign for a backend: the token has the scope `service`, and no grants.
func (s *Signer) SignService(backend domain.UserID, ttl time.Duration) (token string, expires time.Time, err error) {
	return s.sign(&claims{RegisteredClaims: jwt.RegisteredClaims{Subject: string(backend)}, Scope: scope{serviceScope}}, ttl)
}

func (s *Signer) sign(c *claims, ttl time.Duration) (token string, expires time.Time, err error) {
	now := time.Now()
	c.Issuer = s.cfg.Issuer
	c.IssuedAt = newDate(now)
	c.ExpiresAt = newDate(now.Add(ttl + time.Second - 1))
	if s.cfg.Audience != "" {
		c.Audience = jwt.ClaimStrings{s.cfg.Audience}
	}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(s.cfg.Secret)
	return token, c.ExpiresAt.Time, err
}
