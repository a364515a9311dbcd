package bootstrap

import (
	"context"
	"io"
	"log/slog"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"parley/adapters/httpapi"
	"parley/adapters/jwtauth"
	"parley/adapters/memory"
	"parley/adapters/socketio"
	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/legacy"
	"parley/application"
	"parley/domain"
	"parley/ports"
)

// stopMargin is how long a stop may take beyond DRAIN_TIME.
const stopMargin = 15 * time.Second

// App is the whole of Parley. Start and Stop it as an fx.App; before Start, nothing is open or running.
type App struct {
	*fx.App
	servers *servers
}

// New assembles an App that logs to logs. The error says what is wrong with the graph of constructors; it does not depend
// on the configuration's values.
func New(config Config, logs io.Writer) (*App, error) {
	app := &App{}
	app.App = fx.New(
		fx.Supply(config, fx.Annotate(logs, fx.As(new(io.Writer)))),
		Module,
		fx.Populate(&app.servers),
		fx.StopTimeout(time.Duration(config.DrainTime)+stopMargin),
		fx.WithLogger(func(log *slog.Logger) fxevent.Logger {
			l := &fxevent.SlogLogger{Logger: log}
			l.UseLogLevel(slog.LevelDebug)
			return l
		}),
	)
	return app, app.Err()
}

// URL is the address of a started App, such as http://127.0.0.1:3000.
func (a *App) URL() string { return "http://" + a.servers.public.addr() }

// AdminURL is the address where a started App serves metrics and profiles, or "" if it does not.
func (a *App) AdminURL() string {
	if addr := a.servers.admin.addr(); addr != "" {
		return "http://" + addr
	}
	return ""
}

// Module is the graph of constructors with their lifecycle hooks. It needs a Config and an io.Writer for the logs.
var Module = fx.Module("parley",
	fx.Provide(
		func(c Config, out io.Writer) *slog.Logger { return c.logger(out) },
		newJWT,
		fx.Annotate(jwtauth.New, fx.As(new(ports.Authenticator))),
		memory.NewRooms,
		func(r *memory.Rooms) ports.RoomStore { return r },
		newMessageLog,
		func(l *memory.Log) ports.MessageLog { return l },
		func(c Config, log *slog.Logger) *socketio.Hub { return socketio.NewHub(c.RecoveryWindow > 0, log) },
		newLegacyHub,
		newHub,
		newChat,
		func(c *application.Chat) (ports.Chat, ports.Backend) { return c, c },
		newSocketIO,
		newLegacy,
		newTransports,
		newAPI,
		newServers,
	),
	// What starts last stops first. Only the servers' stop can run out of time, and then fx skips the hooks that are left:
	// so the servers start first, to be the last to stop.
	fx.Invoke(func(*servers) {}, clocks),
)

func newJWT(c Config, log *slog.Logger) jwtauth.Config {
	if len(c.JWTSecret) < 32 {
		log.Warn("JWT_SECRET is shorter than 32 bytes: it can be guessed from any token")
	}
	return jwtauth.Config{
		Secret: []byte(c.JWTSecret), PreviousSecret: []byte(c.JWTSecretPrevious),
		Issuer: c.JWTIssuer, Audience: c.JWTAudience,
	}
}

const (
	// trimEvery is how often messages that have reached MESSAGE_LOG_AGE are removed from the log.
	trimEvery = time.Minute
	// sweepEvery is how often rooms are searched for sessions and users that should have been removed.
	sweepEvery = 5 * time.Minute
	// expireEvery is how often sessions are checked for tokens that have expired: a session ends at most this late.
	expireEvery = time.Second
)

func newMessageLog(c Config, rooms *memory.Rooms) *memory.Log {
	return memory.NewLog(memory.LogConfig{
		MaxMessages: c.LogMessages.orUnbounded(), MaxBytes: c.LogBytes.orUnbounded(), MaxAge: c.LogAge.orNever(),
		MaxTotal: int64(c.LogTotal.orUnbounded()), InUse: rooms.InUse,
	})
}

// clocks adds the tickers of all periodic work to the lifecycle.
func clocks(lc fx.Lifecycle, log *memory.Log, chat *application.Chat) {
	for _, t := range []*ticker{
		newTicker(trimEvery, log.Sweep),
		newTicker(sweepEvery, func(now time.Time) { chat.Sweep(context.Background(), now) }),
		newTicker(expireEvery, chat.Expire),
	} {
		lc.Append(fx.StartStopHook(t.start, t.stop))
	}
}

func newChat(
	c Config, auth ports.Authenticator, rooms ports.RoomStore, messages ports.MessageLog, out hub, log *slog.Logger,
) *application.Chat {
	return application.NewChat(application.Config{
		Access: domain.Access(c.Access), MaxContent: int(c.MaxContent), PresenceGrace: time.Duration(c.PresenceGrace),
		ConfirmWindow: time.Duration(c.RecoveryWindow), RecoveryWindow: time.Duration(c.RecoveryWindow),
	}, auth, rooms, messages, out, out, log)
}

func newSocketIO(c Config, chat ports.Chat, hub *socketio.Hub, log *slog.Logger) *socketio.Server {
	return socketio.NewServer(socketio.Config{
		Engine: engineio.Config{
			PingInterval: time.Duration(c.PingInterval), PingTimeout: time.Duration(c.PingTimeout),
			MaxPayload: c.MaxPayload.orUnbounded(), OutboxBytes: c.OutboxBytes.orUnbounded(), AllowOrigin: c.allowOrigin,
		},
		ConnectTimeout: c.ConnectTimeout.orNever(), Recovery: time.Duration(c.RecoveryWindow), QueryToken: c.AllowQueryToken,
	}, chat, hub, log)
}

// newLegacyHub returns nil unless LEGACY_CLIENTS is on.
func newLegacyHub(c Config, log *slog.Logger) *legacy.Hub {
	if !c.LegacyClients {
		return nil
	}
	return legacy.NewHub(log)
}

// newHub returns the current transport's hub alone, or a fanout over both if old is not nil.
func newHub(current *socketio.Hub, old *legacy.Hub) hub {
	if old == nil {
		return current
	}
	return fanout{current, old}
}

// newLegacy returns nil unless LEGACY_CLIENTS is on.
func newLegacy(c Config, chat ports.Chat, hub *legacy.Hub, log *slog.Logger) *legacy.Server {
	if hub == nil {
		return nil
	}
	return legacy.NewServer(legacy.Config{
		PingInterval: time.Duration(c.PingInterval), PingTimeout: time.Duration(c.PingTimeout),
		MaxPayload: c.MaxPayload.orUnbounded(), OutboxBytes: c.OutboxBytes.orUnbounded(),
		AllowOrigin: c.allowOrigin, QueryToken: c.AllowQueryToken,
	}, chat, hub, log)
}

func newTransports(current *socketio.Server, old *legacy.Server) *transports {
	return &transports{current: current, legacy: old}
}

func newAPI(
	c Config, tokens jwtauth.Config, auth ports.Authenticator, backend ports.Backend, io *transports, log *slog.Logger,
) *httpapi.API {
	config := httpapi.Config{SocketIO: io, AllowOrigin: c.allowOrigin, Backend: backend, Authenticate: auth.Authenticate, MaxBody: c.MaxPayload.orUnbounded()}
	if c.Dev {
		signer := jwtauth.NewSigner(tokens)
		config.Dev = &httpapi.Dev{Local: c.Host.isLoopback(), Sign: func(user domain.UserID, service bool) (string, time.Time, error) {
			if service {
				return signer.SignService(user, time.Hour)
			}
			return signer.Sign(user, []string{"*"}, time.Hour)
		}}
	}
	return httpapi.New(config, log)
}
