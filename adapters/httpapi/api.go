package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"parley/domain"
	"parley/ports"
)

// socketIOPath is where clients look for Socket.IO unless told otherwise.
const socketIOPath = "/socket.io/"

// Config says what an API serves.
type Config struct {
	// SocketIO serves /socket.io/, with its own CORS.
	SocketIO http.Handler
	// AllowOrigin says which browser origins get CORS headers on everything else except /v1/, which is for
	// servers and not for pages.
	AllowOrigin func(origin string) bool
	// Backend answers /v1/; nil leaves /v1/ out.
	Backend ports.Backend
	// Authenticate verifies a backend's token, with the errors of ports.Authenticator.
	Authenticate func(ctx context.Context, token string) (domain.Identity, error)
	// MaxBody bounds the body of a request to /v1/, in bytes; 0 means DefaultMaxBody.
	MaxBody int
	// Dev adds the routes of dev mode; nil leaves them out.
	Dev *Dev
}

// API is the public HTTP handler.
type API struct {
	echo *echo.Echo
	// socketIO is the mount of Socket.IO. It is apart from the rest because Socket.IO does its own CORS.
	socketIO *echo.Echo
	// backend serves /v1/; nil leaves it out. It is apart from the rest to have no CORS, and because the page's route
	// would answer requests with a wrong method.
	backend  *echo.Echo
	draining atomic.Bool
}

// New returns the handler with all its routes.
func New(config Config, log *slog.Logger) *API {
	e := newEcho(log)
	a := &API{echo: e, socketIO: newMount(config.SocketIO, log)}
	e.Use(middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOriginFunc:  func(origin string) (bool, error) { return config.AllowOrigin(origin), nil },
		AllowCredentials: true,
	}))
	e.GET("/healthz", health)
	e.GET("/readyz", a.ready)
	if config.Dev != nil {
		config.Dev.routes(e)
	}
	if config.Backend != nil {
		a.backend = newEcho(log)
		newBackend(config).routes(a.backend)
	}
	return a
}

// newEcho returns an Echo whose errors are problem details, panics included.
func newEcho(log *slog.Logger) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = problems(log)
	e.Use(recovering())
	return e
}

// newMount returns an Echo that serves Socket.IO alone. Echo wraps the handler in the middlewares given to Use anew for
// each request; here it is wrapped once.
func newMount(io http.Handler, log *slog.Logger) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = problems(log)
	e.Any(socketIOPath, recovering()(echo.WrapHandler(io)))
	return e
}

// recovering returns the middleware that turns a panic into an error.
func recovering() echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableStackAll: true,
		LogErrorFunc: func(_ echo.Context, err error, stack []byte) error {
			return &panicked{err, stack} // logged by problems
		},
	})
}

// ServeHTTP serves the API.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == socketIOPath:
		a.socketIO.ServeHTTP(w, r)
	case a.backend != nil && strings.HasPrefix(r.URL.Path, backendPath):
		a.backend.ServeHTTP(w, r)
	default:
		a.echo.ServeHTTP(w, r)
	}
}

// Drain makes readiness fail, so that load balancers send no new clients.
func (a *API) Drain() { a.draining.Store(true) }

type status struct {
	Status string `json:"status"`
}

// health answers 200 as long as the process runs.
func health(c echo.Context) error { return c.JSON(http.StatusOK, status{"ok"}) }

// ready answers 200 while new sessions are accepted, and 503 after Drain.
func (a *API) ready(c echo.Context) error {
	if a.draining.Load() {
		return c.JSON(http.StatusServiceUnavailable, status{"draining"})
	}
	return c.JSON(http.StatusOK, status{"ok"})
}
