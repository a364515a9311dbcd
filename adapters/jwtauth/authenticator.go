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
	// Secret signs and verifies. Without one, every token is refused.
	Secret []byte
	// PreviousSecret verifies too, while secrets are changed; empty means none.
	PreviousSecret []byte
	// Issuer and Audience must be in `iss` and `aud`; "" asks for none.
	Issuer   string
	Audience string
	// Leeway is how far the issuer's clock may be off.
	Leeway time.Duration
}

// Authenticator is a ports.Authenticator over tokens. It keeps nothing and asks nobody, so it never
// returns CodeUnavailable.
type Authenticator struct {
	// keys is a jwt.VerificationKeySet, as the parser is given it.
	keys    any
	parser  *jwt.Parser
	options []jwt.ParserOption
	// now validates with options at the time of the call.
	now *jwt.Validator
}

var _ ports.Authenticator = (*Authenticator)(nil)

// New returns an authenticator. Whether a secret is good enough is for the caller to judge.
func New(cfg Config) *Authenticator {
	a := &Authenticator{
		// The algorithm is pinned: a header that says "none", or names a public-key algorithm to
		// have a public key taken for the secret, is refused whatever its signature.
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithoutClaimsValidation(),
		),
		options: []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithLeeway(cfg.Leeway)},
	}
	var keys jwt.VerificationKeySet
	for _, secret := range [][]byte{cfg.Secret, cfg.PreviousSecret} {
		// An empty key is a key that everybody knows.
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

// Authenticate returns what a valid token says.
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
	// Only its time is over if the token was valid at the last instant before.
	if errors.Is(err, jwt.ErrTokenExpired) && a.validate(&c, c.ExpiresAt.Add(-1)) == nil {
		return domain.Identity{}, domain.Errorf(domain.CodeTokenExpired, "the token has expired")
	}
	return domain.Identity{}, errInvalid()
}

// key returns the secrets. What else the header says of keys (kid, jwk, jku, x5u) is not looked at;
// a token whose header demands more than that must be refused (RFC 7515, section 4.1.11).
func (a *Authenticator) key(token *jwt.Token) (any, error) {
	if _, critical := token.Header["crit"]; critical {
		return nil, errInvalid()
	}
	return a.keys, nil
}

// validate checks the claims as they were at the time given.
func (a *Authenticator) validate(c *claims, then time.Time) error {
	at := jwt.WithTimeFunc(func() time.Time { return then })
	return jwt.NewValidator(append(a.options[:len(a.options):len(a.options)], at)...).Validate(c)
}

// errInvalid does not say what is wrong with the token: that would help only who is guessing.
func errInvalid() error {
	return domain.Errorf(domain.CodeUnauthorized, "the token is not valid")
}
