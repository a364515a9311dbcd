package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"go.uber.org/fx"

	"parley/adapters/httpapi"
	"parley/application"
)

// servers are the two listeners. Their stop also stops the chat and the transports, in the right order.
type servers struct {
	config Config
	api    *httpapi.API
	chat   *application.Chat
	io     *transports
	log    *slog.Logger
	public *server
	admin  *server
}

func newServers(
	lc fx.Lifecycle, c Config, api *httpapi.API, chat *application.Chat, io *transports, log *slog.Logger,
) *servers {
	s := &servers{
		config: c, api: api, chat: chat, io: io, log: log,
		public: newServer(api, log),
		admin:  newServer(httpapi.NewAdmin(io.Len), log),
	}
	lc.Append(fx.StartStopHook(s.start, s.stop))
	return s
}

func (s *servers) start(ctx context.Context) error {
	if err := s.public.listen(ctx, net.JoinHostPort(string(s.config.Host), fmt.Sprint(s.config.Port))); err != nil {
		return fmt.Errorf("HOST and PORT: %w", err)
	}
	if addr := s.config.AdminAddr; addr != adminOff {
		if err := s.admin.listen(ctx, string(addr)); err != nil {
			// The chat must not fail to start because of a port that nobody chose.
			if addr != defaultAdminAddr {
				return errors.Join(fmt.Errorf("ADMIN_ADDR: %w", err), s.public.stop(ctx))
			}
			s.log.Warn("no metrics and profiles: ADMIN_ADDR is taken; set it to a free address, or to off",
				"addr", string(addr), "error", err)
		}
	}
	s.log.Info("listening", "url", "http://"+s.public.addr(), "admin", s.admin.addr(), "dev", s.config.Dev)
	return nil
}

// stop drains: readiness fails, so that load balancers send nobody new; then the clients' connections are closed over
// DRAIN_TIME, so that they reconnect elsewhere; then the listeners close. The chat is closed before the connections, so
// that members are not told that the others left: they come back.
func (s *servers) stop(ctx context.Context) error {
	s.api.Drain()
	s.chat.Close()
	return errors.Join(
		s.io.Shutdown(ctx, time.Duration(s.config.DrainTime)),
		s.public.stop(ctx),
		s.admin.stop(ctx),
	)
}

// readHeaderTimeout is how long a client may take to send a request's headers.
const readHeaderTimeout = 5 * time.Second

// idleTimeout is how long a connection is kept open between two requests. Polling clients ask again sooner.
const idleTimeout = 90 * time.Second

// maxHeaderBytes has room for a token of 8 KiB and for what browsers send.
const maxHeaderBytes = 32 << 10

// server is one HTTP listener.
type server struct {
	http     *http.Server
	listener net.Listener
	done     chan struct{}
}

func newServer(h http.Handler, log *slog.Logger) *server {
	return &server{http: &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
}

// listen opens the listener, so that a port that is taken fails the start, and serves on a goroutine of its own.
func (s *server) listen(ctx context.Context, addr string) error {
	// No TCP keep-alive: heartbeats and idleTimeout notice sooner that a client is gone, and setting it up costs four
	// system calls per connection.
	l, err := (&net.ListenConfig{KeepAlive: -1}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	s.listener, s.done = l, make(chan struct{})
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l) // it returns ErrServerClosed after stop
	}()
	return nil
}

// addr is the address listened on, or "" before listen.
func (s *server) addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// stop waits for the requests under way until the context ends, and then cuts them off.
func (s *server) stop(ctx context.Context) error {
	if s.listener == nil {
		return nil
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.done
	return err
}
