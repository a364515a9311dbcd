package bootstrap

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"parley/domain"
)

// The types of configuration values. Each accepts only what is allowed. The errors of their UnmarshalText methods are not
// shown to anyone: explain replaces them by the variable's name and its `allowed` tag.
type (
	host       string
	port       int
	adminAddr  string
	logLevel   slog.Level
	logFormat  string
	origins    []string
	access     domain.Access
	messageLog string
	// notYet is a setting of the contract that this version does not support. Any value is refused rather than ignored.
	notYet struct{}
	// heartbeat is a duration from a millisecond, the unit in which clients are told it, to longestHeartbeat.
	heartbeat time.Duration
	// limit is a duration up to never; 0 switches the limit off.
	limit time.Duration
	// size is a number of bytes or messages up to unbounded; 0 switches the limit off.
	size int
)

const (
	// never is longer than any server runs, and small enough to be added to the current time without overflow.
	never = 100 * 365 * 24 * time.Hour
	// longestHeartbeat is such that the pause and the time to answer together fit a timer of JavaScript, 2^31-1 ms: with
	// more, clients give up after a millisecond.
	longestHeartbeat = 288 * time.Hour
	// unbounded fits an int on every platform, and every integer type in which clients may keep it.
	unbounded = math.MaxInt32
)

var errNotAllowed = errors.New("not allowed")

// hostName matches what may be a host's name. Whether it resolves shows at the start.
var hostName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

func (h *host) UnmarshalText(text []byte) error {
	*h = host(text)
	if _, err := netip.ParseAddr(string(text)); err == nil || len(text) == 0 || hostName.Match(text) {
		return nil
	}
	return errNotAllowed
}

// isLoopback reports whether only this machine can reach what listens on the host. The only name it takes for one is
// localhost (RFC 6761, section 6.3).
func (h host) isLoopback() bool {
	addr, err := netip.ParseAddr(string(h))
	if err != nil {
		return strings.EqualFold(string(h), "localhost")
	}
	return addr.Unmap().IsLoopback()
}

func (a *adminAddr) UnmarshalText(text []byte) error {
	*a = adminAddr(text)
	if *a == adminOff {
		return nil
	}
	name, number, err := net.SplitHostPort(string(text))
	if err != nil {
		return err
	}
	return errors.Join(new(host).UnmarshalText([]byte(name)), new(port).UnmarshalText([]byte(number)))
}

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

func (*notYet) UnmarshalText([]byte) error { return errNotAllowed }

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

// UnmarshalText takes a list of origins, separated by commas and written as browsers send them: in any other form they
// would never match.
func (o *origins) UnmarshalText(text []byte) error {
	for part := range strings.SplitSeq(string(text), ",") {
		origin := strings.TrimSpace(part)
		if origin == "" {
			continue
		}
		if !isOrigin(origin) {
			return errNotAllowed
		}
		*o = append(*o, origin)
	}
	return nil
}

// defaultPorts are left out of an origin (RFC 6454, section 6.1).
var defaultPorts = map[string]string{"http": "80", "https": "443"}

func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || s != strings.ToLower(u.Scheme+"://"+u.Host) {
		return false
	}
	if strings.Contains(u.Host, "*") || strings.HasSuffix(u.Host, ":") {
		return false
	}
	return u.Port() == "" || u.Port() != defaultPorts[u.Scheme]
}

func (h *heartbeat) UnmarshalText(text []byte) error {
	d, err := duration(text, time.Millisecond, longestHeartbeat)
	*h = heartbeat(d)
	return err
}

func (l *limit) UnmarshalText(text []byte) error {
	d, err := duration(text, 0, never)
	*l = limit(d)
	return err
}

// duration reads a duration from the least to the most.
func duration(text []byte, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(string(text))
	if err == nil && (d < least || d > most) {
		err = errNotAllowed
	}
	return d, err
}

func (s *size) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 31)
	*s = size(n)
	return err
}

// lookup returns the variable's value, from the process's environment if variables is nil.
func lookup(variables map[string]string, name string) string {
	if variables == nil {
		return os.Getenv(name)
	}
	return variables[name]
}

func randomSecret() string { return rand.Text() + rand.Text() }
