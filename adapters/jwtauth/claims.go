package jwtauth

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
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

// lastExpiry is the latest time that RFC 3339 can express; a later `exp` counts as this. Some issuers write `exp` in
// milliseconds, which gives years far beyond it.
var lastExpiry = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// claims is what a token says.
type claims struct {
	jwt.RegisteredClaims
	// These three hide those of RegisteredClaims, which take longer to decode.
	ExpiresAt *date `json:"exp,omitempty"`
	NotBefore *date `json:"nbf,omitempty"`
	IssuedAt  *date `json:"iat,omitempty"`
	// Conversations are ids, or prefixes that end in `*`.
	Conversations []string `json:"conversations,omitempty"`
	Scope         scope    `json:"scope,omitempty"`
}

// serviceScope is the scope of the platform's own backends.
const serviceScope = "service"

// scope is what a token may be used for, a list of names. Its length is bounded by maxToken.
type scope []string

// UnmarshalJSON reads the form of RFC 8693, section 4.2, which is one string of names with a space between, and also the
// list of strings that many issuers write instead. Names are case-sensitive.
func (s *scope) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var all string
		if err := json.Unmarshal(data, &all); err != nil {
			return err
		}
		*s = strings.Split(all, " ")
		return nil
	}
	return json.Unmarshal(data, (*[]string)(s))
}

// MarshalJSON writes the form of RFC 8693.
func (s scope) MarshalJSON() ([]byte, error) { return json.Marshal(strings.Join(s, " ")) }

// date is a NumericDate of RFC 7519, section 2.
type date struct{ jwt.NumericDate }

// newDate returns the whole second that t is in.
func newDate(t time.Time) *date { return &date{*jwt.NewNumericDate(t)} }

// UnmarshalJSON reads whatever jwt.NumericDate reads. It parses numbers itself, because jwt.NumericDate starts a JSON
// decoder for each.
func (d *date) UnmarshalJSON(data []byte) error {
	if data[0] != '-' && (data[0] < '0' || data[0] > '9') {
		return d.NumericDate.UnmarshalJSON(data)
	}
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return err
	}
	seconds, fraction := math.Modf(f)
	d.NumericDate = *jwt.NewNumericDate(time.Unix(int64(seconds), int64(fraction*float64(time.Second))))
	return nil
}

func (d *date) numeric() (*jwt.NumericDate, error) {
	if d == nil {
		return nil, nil // as jwt.Claims demands: a missing claim is not an error
	}
	return &d.NumericDate, nil
}

// GetExpirationTime returns `exp`.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.ExpiresAt.numeric() }

// GetNotBefore returns `nbf`.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return c.NotBefore.numeric() }

// GetIssuedAt returns `iat`.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return c.IssuedAt.numeric() }

// Validate checks the subject and the claims that are our own; jwt.Validator calls it besides its own checks. Its errors
// are not shown to anyone.
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
	return domain.Identity{
		User: domain.UserID(c.Subject), ExpiresAt: expires, Grants: compact(c.Conversations),
		Service: slices.Contains(c.Scope, serviceScope),
	}
}

// compact returns a copy of the strings that takes two allocations of exactly their size. A session keeps them as long as
// it lasts, and the JSON decoder allocates each string by itself and leaves spare room in the slice.
func compact(all []string) []string {
	if len(all) == 0 {
		return all
	}
	text := strings.Join(all, "")
	packed := make([]string, len(all))
	for i, s := range all {
		packed[i], text = text[:len(s)], text[len(s):]
	}
	return packed
}
