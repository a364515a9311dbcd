package bootstrap

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"parley/domain"
)

// Config is the configuration as read from the environment. Durations are written as Go writes them (`25s`), sizes are
// bytes unless said otherwise, and 0 switches a limit off. When a value is refused, the error quotes the tag `allowed`.
type Config struct {
	Host      host      `env:"HOST" allowed:"an address or a name to listen on; empty for all"`
	Port      port      `env:"PORT" envDefault:"3000" allowed:"0 to 65535; 0 for a free one"`
	AdminAddr adminAddr `env:"ADMIN_ADDR" envDefault:"127.0.0.1:9464" allowed:"host:port, or off"`
	LogLevel  logLevel  `env:"LOG_LEVEL" envDefault:"info" allowed:"debug, info, warn or error"`
	LogFormat logFormat `env:"LOG_FORMAT" envDefault:"json" allowed:"json or text"`

	AllowedOrigins origins `env:"ALLOWED_ORIGINS" envDefault:"http://localhost:5173" allowed:"origins such as https://app.example.com, separated by commas, without a path or a default port"`

	JWTSecret         string `env:"JWT_SECRET"`
	JWTSecretPrevious string `env:"JWT_SECRET_PREVIOUS"`
	JWTIssuer         string `env:"JWT_ISSUER"`
	JWTAudience       string `env:"JWT_AUDIENCE"`
	JWTPublicKeyFile  notYet `env:"JWT_PUBLIC_KEY_FILE" allowed:"nothing yet: tokens are HS256 with JWT_SECRET"`
	JWKSURL           notYet `env:"JWKS_URL" allowed:"nothing yet: tokens are HS256 with JWT_SECRET"`
	AllowQueryToken   bool   `env:"ALLOW_QUERY_TOKEN" envDefault:"false" allowed:"1 or 0"`

	Access access `env:"CONVERSATION_ACCESS" allowed:"claims or authenticated"`

	PingInterval   heartbeat `env:"PING_INTERVAL" envDefault:"25s" allowed:"a duration such as 25s, from 1ms to 288h"`
	PingTimeout    heartbeat `env:"PING_TIMEOUT" envDefault:"60s" allowed:"a duration such as 60s, from 1ms to 288h"`
	ConnectTimeout limit     `env:"CONNECT_TIMEOUT" envDefault:"10s" allowed:"a duration such as 10s; 0 for none"`
	PresenceGrace  limit     `env:"PRESENCE_GRACE" envDefault:"10s" allowed:"a duration such as 10s; 0 for none"`
	RecoveryWindow limit     `env:"RECOVERY_WINDOW" envDefault:"120s" allowed:"a duration such as 120s; 0 for none"`
	DrainTime      limit     `env:"DRAIN_TIME" envDefault:"10s" allowed:"a duration such as 10s; 0 for none"`

	MaxPayload  size `env:"MAX_PAYLOAD" envDefault:"1000000" allowed:"a number of bytes up to 2147483647; 0 for no limit"`
	MaxContent  size `env:"MAX_CONTENT" envDefault:"65536" allowed:"a number of bytes up to 2147483647; 0 for no limit"`
	OutboxBytes size `env:"OUTBOX_BYTES" envDefault:"1048576" allowed:"a number of bytes up to 2147483647; 0 for no limit"`

	LegacyClients bool `env:"LEGACY_CLIENTS" envDefault:"false" allowed:"1 or 0"`

	MessageLog  messageLog `env:"MESSAGE_LOG" envDefault:"memory" allowed:"memory"`
	LogMessages size       `env:"MESSAGE_LOG_COUNT" envDefault:"10000" allowed:"a number of messages up to 2147483647; 0 for no limit"`
	LogBytes    size       `env:"MESSAGE_LOG_BYTES" envDefault:"8388608" allowed:"a number of bytes up to 2147483647; 0 for no limit"`
	LogAge      limit      `env:"MESSAGE_LOG_AGE" envDefault:"24h" allowed:"a duration such as 24h; 0 for none"`
	LogTotal    size       `env:"MESSAGE_LOG_TOTAL" envDefault:"536870912" allowed:"a number of bytes up to 2147483647; 0 for no limit"`

	Dev bool `env:"PARLEY_DEV" envDefault:"false" allowed:"1 or 0"`
}

// defaultAdminAddr repeats the default of ADMIN_ADDR above: a failure to listen there does not fail the start.
const defaultAdminAddr = "127.0.0.1:9464"

// adminOff is the value of ADMIN_ADDR for no second listener.
const adminOff = "off"

// LoadConfig reads the configuration from the variables, or from the process's environment if variables is nil. The error
// names every variable whose value is not allowed, with what is allowed, or says what else must be set.
func LoadConfig(variables map[string]string) (Config, error) {
	var c Config
	options := env.Options{Environment: variables}
	if err := env.ParseWithOptions(&c, options); err != nil {
		return Config{}, explain(err, variables)
	}
	return c.withMode()
}

// withMode fills in the defaults that depend on dev mode, and refuses what is not safe in the mode.
func (c Config) withMode() (Config, error) {
	if c.Dev {
		if c.Host == "" {
			c.Host = "127.0.0.1"
		}
		if (c.JWTSecret != "" || c.JWTSecretPrevious != "") && !c.Host.isLoopback() {
			return Config{}, fmt.Errorf("PARLEY_DEV=1 gives everybody who reaches HOST=%q a token signed with JWT_SECRET: unset PARLEY_DEV, or leave JWT_SECRET and JWT_SECRET_PREVIOUS unset to try Parley with a random one, or leave HOST unset to listen on 127.0.0.1", c.Host)
		}
		if c.Access == "" {
			c.Access = access(domain.AccessAuthenticated)
		}
		if c.JWTSecret == "" {
			c.JWTSecret = randomSecret()
		}
	}
	if c.Access == "" {
		c.Access = access(domain.AccessClaims)
	}
	if c.JWTSecret == "" {
		return Config{}, errors.New("JWT_SECRET is not set: set it to the secret that your tokens are signed with (HS256), or set PARLEY_DEV=1 to try Parley with a random one")
	}
	return c, nil
}

// explain turns the parser's errors, which speak of struct fields, into ones that name variables.
func explain(err error, variables map[string]string) error {
	aggregate, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return err
	}
	var all []error
	for _, e := range aggregate.Errors {
		pe, ok := errors.AsType[env.ParseError](e)
		if !ok {
			all = append(all, e)
			continue
		}
		field, _ := reflect.TypeFor[Config]().FieldByName(pe.Name)
		name := field.Tag.Get("env")
		all = append(all, fmt.Errorf("%s=%q is not allowed; allowed: %s", name, lookup(variables, name), field.Tag.Get("allowed")))
	}
	return errors.Join(all...)
}

// allowOrigin reports whether pages of the browser origin may use this server. In dev mode, pages of this machine may, too.
func (c Config) allowOrigin(origin string) bool {
	for _, allowed := range c.AllowedOrigins {
		if origin == allowed {
			return true
		}
	}
	return c.Dev && isLoopback(origin)
}

// logger returns the configured logger.
func (c Config) logger(out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.Level(c.LogLevel)}
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}

// isLoopback reports whether the origin is a page served by this machine.
func isLoopback(origin string) bool {
	for _, host := range []string{"http://localhost", "http://127.0.0.1", "http://[::1]"} {
		if rest, ok := strings.CutPrefix(origin, host); ok {
			number, found := strings.CutPrefix(rest, ":")
			return rest == "" || found && new(port).UnmarshalText([]byte(number)) == nil
		}
	}
	return false
}

// orNever returns the duration, or never if the limit is off.
func (l limit) orNever() time.Duration {
	if l == 0 {
		return never
	}
	return time.Duration(l)
}

// orUnbounded returns the number, or unbounded if the limit is off.
func (s size) orUnbounded() int {
	if s == 0 {
		return unbounded
	}
	return int(s)
}
