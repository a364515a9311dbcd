package bootstrap

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"math"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"parley/domain"
)

// The types of configuration values: each takes only what is allowed. Their errors are not shown: the
// variable's name and its `allowed` tag are.
type (
	port       int
	logLevel   slog.Level
	logFormat  string
	origins    []string
	access     domain.Access
	messageLog string
	// positive is a duration above 0.
	positive time.Duration
	// limit is a duration; 0 switches it off.
	limit time.Duration
	// size is a number of bytes; 0 switches the limit off.
	size int
)

const (
	// never is longer than any server runs, and small enough to be added to the current time.
	never = 100 * 365 * 24 * time.Hour
	// unbounded fits every integer that clients are told, on every platform.
	unbounded = math.MaxInt32
)

var errNotAllowed = errors.New("not allowed")

func (p *port) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 16)
	*p = port(n)
	return err
}

func (l *logLevel) UnmarshalText(text []byte) error {
	switch string(text) {
	case "debug", "info", "warn", "error":
		return (*slog.Level)(l).UnmarshalText(text)
	}
	return errNotAllowed
}

func (f *logFormat) UnmarshalText(text []byte) error { return oneOf(f, text, "json", "text") }

func (m *messageLog) UnmarshalText(text []byte) error { return oneOf(m, text, "memory") }

func (a *access) UnmarshalText(text []byte) error {
	return oneOf(a, text, access(domain.AccessClaims), access(domain.AccessAuthenticated))
}

func oneOf[T ~string](into *T, text []byte, allowed ...T) error {
	for _, a := range allowed {
		if string(text) == string(a) {
			*into = a
			return nil
		}
	}
	return errNotAllowed
}

// UnmarshalText takes a list of origins: scheme and host, as browsers send them.
func (o *origins) UnmarshalText(text []byte) error {
	for part := range strings.SplitSeq(string(text), ",") {
		origin := strings.TrimSpace(part)
		if origin == "" {
			continue
		}
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			return errNotAllowed
		}
		*o = append(*o, origin)
	}
	return nil
}

func (p *positive) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err == nil && d <= 0 {
		err = errNotAllowed
	}
	*p = positive(d)
	return err
}

func (l *limit) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err == nil && d < 0 {
		err = errNotAllowed
	}
	*l = limit(d)
	return err
}

func (s *size) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 31)
	*s = size(n)
	return err
}

// lookup returns the variable, from the process's if variables is nil.
func lookup(variables map[string]string, name string) string {
	if variables == nil {
		return os.Getenv(name)
	}
	return variables[name]
}

func randomSecret() string { return rand.Text() + rand.Text() }
