package engineio

import (
	"cmp"
	"log/slog"
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
	// PingInterval is the pause between a pong and the next ping. Default 25 s.
	PingInterval time.Duration
	// PingTimeout is how long the client may take to answer a ping. Default 20 s.
	PingTimeout time.Duration
	// UpgradeTimeout is how long an upgrade may take from the WebSocket's opening. Default 10 s.
	UpgradeTimeout time.Duration
	// WriteTimeout is how long a client may take to accept what was written to it, each MiB of it if it is more.
	// Default 10 s.
	WriteTimeout time.Duration
	// MaxPayload bounds a WebSocket message and a polling request body from the client, in bytes.
	// It is told to the client. Default 1,000,000.
	MaxPayload int
	// HTTPCompression is the size in bytes from which on the answer to a poll is compressed, by gzip or
	// deflate as the client accepts. Default 1024; a negative one switches it off. See "Compression" in
	// the package comment.
	HTTPCompression int
	// PerMessageDeflate is the size in bytes from which on a WebSocket message is compressed, if the
	// client has negotiated permessage-deflate (RFC 7692). Default 0: it is not negotiated. The
	// reference server's threshold is 1024.
	PerMessageDeflate int
	// OutboxBytes bounds what may wait for one session, in bytes. Default 1 MiB.
	OutboxBytes int
	// Retain is how many packets marked with Packet.Retain a session remembers for Session.Resume, at
	// most, until its client has proved that it got them. Default 0: none.
	Retain int
	// Transports that clients may use. Default polling and websocket.
	Transports []string
	// NoUpgrade keeps polling sessions on polling.
	NoUpgrade bool
	// AllowOrigin says whether a browser page of that origin may connect. Requests with another
	// Origin header are refused on every transport; those with an allowed one get CORS headers, with
	// credentials. nil lets in the pages of the host that the request is for, and no others. Requests
	// without the header are not of a browser's page, or read what is their own, and pass.
	AllowOrigin func(origin string) bool
	// Authorize is asked before each new session. An error refuses it: a *Refusal with its own
	// status, any other as 403. The value goes to Handshake.Value.
	Authorize func(*http.Request) (value any, err error)
	// GenerateID makes the id of a new session from the request that opens it: a secret that must not be
	// guessable. An error refuses the session: a *Refusal as it is, any other as 400, and so does an id
	// that is empty or in use. Default 144 random bits.
	GenerateID func(*http.Request) (string, error)
	// Logger gets panics of receivers. Default slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	c.PingInterval = cmp.Or(c.PingInterval, 25*time.Second)
	c.PingTimeout = cmp.Or(c.PingTimeout, 20*time.Second)
	c.UpgradeTimeout = cmp.Or(c.UpgradeTimeout, 10*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 10*time.Second)
	c.MaxPayload = cmp.Or(c.MaxPayload, 1_000_000)
	c.HTTPCompression = cmp.Or(c.HTTPCompression, 1024)
	c.OutboxBytes = cmp.Or(c.OutboxBytes, 1<<20)
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

// upgrades lists the transports that a session may move to.
func (c *Config) upgrades(transport string) []string {
	if transport == Polling && !c.NoUpgrade && slices.Contains(c.Transports, WebSocket) {
		return []string{WebSocket}
	}
	return []string{}
}
