package bootstrap

import "time"

// AllowOrigin reports whether pages of a browser origin may use a server with this configuration.
func (c Config) AllowOrigin(origin string) bool { return c.allowOrigin(origin) }

// Limits are the configured limits as they are passed to the adapters.
func (c Config) Limits() (connect time.Duration, payload, outbox int) {
	return c.ConnectTimeout.orNever(), c.MaxPayload.orUnbounded(), c.OutboxBytes.orUnbounded()
}

// What Limits returns for a limit that is off.
const (
	Never     = never
	Unbounded = unbounded
)

// Ticker lets tests start and stop a ticker.
type Ticker struct{ *ticker }

func NewTicker(every time.Duration, call func(time.Time)) Ticker {
	return Ticker{newTicker(every, call)}
}

func (t Ticker) Start() { t.start() }
func (t Ticker) Stop()  { t.stop() }
