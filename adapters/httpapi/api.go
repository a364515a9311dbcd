package httpapi

import (
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// socketIOPath is where clients look for Socket.IO unless told otherwise.
const socketIOPath = "/socket.io/"

// Config says what an API serves.
type Config struct {
	// SocketIO serves /socket.io/, with its own CORS.
	SocketIO http.Handler
	// AllowOrigin says which browser origins get CORS headers on everything else.
	AllowOrigin func(origin string) bool
	// Dev adds the routes of dev mode; nil leaves them out.
	Dev *Dev
}

// API is the public HTTP handler.
type API struct {
	echo     *echo.Echo
	draining atomic.Bool
}

// New returns the handler with all its routes.
func New(config Config, log *slog.Logger) *API {
	e := echo.New()
	a := &API{echo: e}
	e.HTTPErrorHandler = problems(log)
	e.Use(
		middleware.RecoverWithConfig(middleware.RecoverConfig{
			DisableStackAll: true,
			LogErrorFunc: func(_ echo.Context, err error, stack []byte) error {
				return &panicked{err, stack} // logged by problems
			},
		}),
		middleware.CORSWithConfig(middleware.CORSConfig{
			Skipper:          func(c echo.Context) bool { return c.Path() == socketIOPath },
			AllowOriginFunc:  func(origin string) (bool, error) { return config.AllowOrigin(origin), nil },
			AllowCredentials: true,
		}),
	)
	e.Any(socketIOPath, echo.WrapHandler(config.SocketIO))
	e.GET("/healthz", health)
	e.GET("/readyz", a.ready)
	if config.Dev != nil {
		config.Dev.routes(e)
	}
	return a
}

// ServeHTTP serves the API.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.echo.ServeHTTP(w, r) }

// Drain makes readiness fail, so that load balancers send no one here any more.
func (a *API) Drain() { a.draining.Store(true) }

type status struct {
	Status string `json:"status"`
}

// health answers as long as the process does.
func health(c echo.Context) error { return c.JSON(http.StatusOK, status{"ok"}) }

// ready answers whether new sessions are welcome.
func (a *API) ready(c echo.Context) error {
	if a.draining.Load() {
		return c.JSON(http.StatusServiceUnavailable, status{"draining"})
	}
	return c.JSON(http.StatusOK, status{"ok"})
}
