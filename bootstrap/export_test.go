package bootstrap

import "time"

// AllowOrigin says whether a browser origin may use a server with this configuration.
func (c Config) AllowOrigin(origin string) bool { return c.allowOrigin(origin) }

// Limits are the configured limits as the adapters are told them.
func (c Config) Limits() (connect time.Duration, payload, outbox int) {
	return c.ConnectTimeout.orNever(), c.MaxPayload.orUnbounded(), c.OutboxBytes.orUnbounded()
}

// Unlimited is what Limits says of those that are off.
const (
	Never     = never
	Unbounded = unbounded
)

// Ticker lets tests start and stop one.
type Ticker struct{ *ticker }

func NewTicker(every time.Duration, call func(time.Time)) Ticker {
	return Ticker{newTicker(every, call)}
}

func (t Ticker) Start() { t.start() }
func (t Ticker) Stop()  { t.stop() }
