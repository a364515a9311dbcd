package engineio

import (
	"cmp"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"time"
)

// The names of the transports.
const (
	Polling   = "polling"
	WebSocket = "websocket"
)

// Config tunes a Server. The zero value is a working default.
type Config struct {
	// PingInterval is the time between a pong and the next ping. Default 25 s.
	PingInterval time.Duration
	// PingTimeout is how long the client may take to answer a ping. Default 20 s.
	PingTimeout time.Duration
	// UpgradeTimeout is how long an upgrade may take, from the opening of the WebSocket. Default 10 s.
	UpgradeTimeout time.Duration
	// WriteTimeout is how long a client may take to accept what is written to it, for each MiB of it if it is more.
	// Default 10 s.
	WriteTimeout time.Duration
	// MaxPayload bounds each WebSocket message and each polling request body from the client, in bytes. The client is
	// told of it. Default 1,000,000.
	MaxPayload int
	// HTTPCompression is the size, in bytes, from which the answer to a poll is compressed, with gzip or deflate as the
	// client accepts. Default 1024; a negative value switches compression off. See "Compression" in the package
	// comment.
	HTTPCompression int
	// PerMessageDeflate is the size, in bytes, from which a WebSocket message is compressed, if the client has
	// negotiated permessage-deflate (RFC 7692). Default 0: it is not negotiated. The reference server's threshold is
	// 1024.
	PerMessageDeflate int
	// OutboxBytes bounds what may wait to be sent to one client, in bytes. Default 1 MiB; a negative value means no
	// bound.
	OutboxBytes int
	// Retain is the largest number of packets marked with Packet.Retain that a session remembers for Session.Resume,
	// until its client has proved that it got them. Default 0: none.
	Retain int
	// Transports are those that clients may use. Default polling and websocket.
	Transports []string
	// NoUpgrade keeps polling sessions on polling.
	NoUpgrade bool
	// AllowOrigin reports whether browser pages of the origin may connect. Requests with another Origin header are
	// refused on every transport; those with an allowed one get CORS headers, with credentials. If it is nil, only
	// pages of the host that the request is addressed to are let in. Requests without an Origin header pass: they do
	// not come from a browser page, or read only what belongs to the page's own origin.
	AllowOrigin func(origin string) bool
	// Authorize is called before each new session. An error refuses the session: a *Refusal with its own status, any
	// other with 403. The value becomes Handshake.Value.
	Authorize func(*http.Request) (value any, err error)
	// GenerateID makes the id of a new session from the request that opens it. The id is a secret and must not be
	// guessable. An error refuses the session, a *Refusal as it is, any other with 400; so does an id that is empty or
	// in use. The default is 144 random bits.
	GenerateID func(*http.Request) (string, error)
	// Logger gets the panics of receivers. Default slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	c.PingInterval = cmp.Or(c.PingInterval, 25*time.Second)
	c.PingTimeout = cmp.Or(c.PingTimeout, 20*time.Second)
	c.UpgradeTimeout = cmp.Or(c.UpgradeTimeout, 10*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 10*time.Second)
	c.MaxPayload = cmp.Or(c.MaxPayload, 1_000_000)
	c.HTTPCompression = cmp.Or(c.HTTPCompression, 1024)
	if c.OutboxBytes = cmp.Or(c.OutboxBytes, 1<<20); c.OutboxBytes < 0 {
		c.OutboxBytes = math.MaxInt
	}
	if c.Transports == nil {
		c.Transports = []string{Polling, WebSocket}
	}
	if c.GenerateID == nil {
		c.GenerateID = randomID
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// upgrades returns the transports that a session on the given one may move to.
func (c *Config) upgrades(transport string) []string {
	if transport == Polling && !c.NoUpgrade && slices.Contains(c.Transports, WebSocket) {
		return []string{WebSocket}
	}
	return []string{}
}
