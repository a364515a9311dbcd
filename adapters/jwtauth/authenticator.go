package jwtauth

import (
	"context"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/domain"
	"parley/ports"
)

// maxToken bounds a token in bytes. A longer one is refused before anything is decoded.
const maxToken = 8 << 10

// Config says what a valid token is.
type Config struct {
	// Secret signs and verifies. Without one, an Authenticator refuses every token that PreviousSecret does not verify.
	Secret []byte
	// PreviousSecret also verifies, for the time in which a secret is being replaced; empty means none.
	PreviousSecret []byte
	// Issuer must be the token's `iss`, and Audience must be in its `aud`; "" does not check the claim.
	Issuer   string
	Audience string
	// Leeway is how far the issuer's clock may differ from this machine's: `exp` and `nbf` are extended by it.
	Leeway time.Duration
}

// Authenticator is a ports.Authenticator for JWTs. It is safe for concurrent use. It does no I/O, so it never returns
// CodeUnavailable.
type Authenticator struct {
	// keys is a jwt.VerificationKeySet, kept as the any that the parser takes, so that no call allocates.
	keys    any
	parser  *jwt.Parser
	options []jwt.ParserOption
	// now validates claims against options and the current time.
	now *jwt.Validator
}

var _ ports.Authenticator = (*Authenticator)(nil)

// New returns an authenticator. It does not judge whether the secrets are strong enough.
func New(cfg Config) *Authenticator {
	a := &Authenticator{
		// The algorithm is pinned. Otherwise a header could say "none", or name a public-key algorithm so that a public
		// key is taken for the secret.
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithoutClaimsValidation(),
		),
		options: []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithLeeway(cfg.Leeway)},
	}
	var keys jwt.VerificationKeySet
	for _, secret := range [][]byte{cfg.Secret, cfg.PreviousSecret} {
		// An empty key is one that everybody knows.
		if len(secret) > 0 {
			keys.Keys = append(keys.Keys, secret)
		}
	}
	a.keys = keys
	if cfg.Issuer != "" {
		a.options = append(a.options, jwt.WithIssuer(cfg.Issuer))
	}
	if cfg.Audience != "" {
		a.options = append(a.options, jwt.WithAudience(cfg.Audience))
	}
	a.now = jwt.NewValidator(a.options...)
	return a
}

// Authenticate returns what a valid token says of its bearer. The error is a *domain.Error with CodeTokenExpired for a
// token that is valid but for its expiry, and with CodeUnauthorized for any other that is refused.
func (a *Authenticator) Authenticate(_ context.Context, token string) (domain.Identity, error) {
	if len(token) > maxToken {
		return domain.Identity{}, errInvalid()
	}
	var c claims
	if _, err := a.parser.ParseWithClaims(token, &c, a.key); err != nil {
		return domain.Identity{}, errInvalid()
	}
	err := a.now.Validate(&c)
	if err == nil {
		return c.identity(), nil
	}
	// It has only expired if it was valid in the last instant before its expiry.
	if errors.Is(err, jwt.ErrTokenExpired) && a.validate(&c, c.ExpiresAt.Add(-1)) == nil {
		return domain.Identity{}, domain.Errorf(domain.CodeTokenExpired, "the token has expired")
	}
	return domain.Identity{}, errInvalid()
}

// key returns the secrets. It ignores what else the header says of keys (kid, jwk, jku, x5u). A header with `crit` demands
// extensions to be understood, and there are none here, so such a token is refused (RFC 7515, section 4.1.11).
func (a *Authenticator) key(token *jwt.Token) (any, error) {
	if _, critical := token.Header["crit"]; critical {
		return nil, errInvalid()
	}
	return a.keys, nil
}

// validate checks the claims as of the time then.
func (a *Authenticator) validate(c *claims, then time.Time) error {
	at := jwt.WithTimeFunc(func() time.Time { return then })
	return jwt.NewValidator(append(a.options[:len(a.options):len(a.options)], at)...).Validate(c)
}

// errInvalid is the same whatever is wrong with the token: details would help only those who guess.
func errInvalid() error {
	return domain.Errorf(domain.CodeUnauthorized, "the token is not valid")
}
