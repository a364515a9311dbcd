package socketio

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio"
	"parley/domain"
	"parley/ports"
)

// Config tunes a Server.
type Config struct {
	// Engine tunes the transport. Its Authorize is the Server's own.
	Engine engineio.Config
	// ConnectTimeout is how long a connection may take to send CONNECT with a valid token.
	ConnectTimeout time.Duration
	// Recovery is how long a client that lost its connection may come back without having missed anything; 0: it
	// may not.
	Recovery time.Duration
	// QueryToken also accepts the token in the query parameter `token`, from where it gets into logs.
	QueryToken bool
}

// Server is the inbound half of this adapter: it turns clients' events into calls of the application.
type Server struct {
	chat       ports.Chat
	hub        *Hub
	log        *slog.Logger
	io         *sio.Server
	queryToken bool
}

// NewServer returns an http.Handler for the path `/socket.io/`.
func NewServer(config Config, chat ports.Chat, hub *Hub, log *slog.Logger) *Server {
	s := &Server{chat: chat, hub: hub, log: log, queryToken: config.QueryToken}
	config.Engine.Authorize = s.authorize
	s.io = sio.NewServer(sio.Config{
		Engine: config.Engine, ConnectTimeout: config.ConnectTimeout, Recovery: config.Recovery, MaxBinary: config.Engine.MaxPayload, Logger: log,
	})
	n := s.io.Of(namespace)
	n.Use(s.connect)
	n.OnDisconnect(s.disconnected)
	n.OnViolation(s.violated)
	n.OnAck(func(ctx context.Context, socket *sio.Socket, id uint64, _ *sio.Reply) {
		chat.Confirm(ctx, sessionID(socket), domain.DeliveryID(id))
	})
	endpoints := NewEndpoints(chat, log)
	n.OnUnhandled(func(ctx context.Context, e *sio.Event) { endpoints.Serve(ctx, call{e}) })
	return s
}

// ServeHTTP serves the Socket.IO protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.io.ServeHTTP(w, r) }

// Len is the number of open connections.
func (s *Server) Len() int { return s.io.Len() }

// Shutdown closes all connections over the time of spread; clients reconnect by themselves. See
// sio.Server.Shutdown.
func (s *Server) Shutdown(ctx context.Context, spread time.Duration) error {
	return s.io.Shutdown(ctx, spread)
}

// authorize checks a token that comes with the handshake request. A bad one is refused before the upgrade; a good
// one is used for a CONNECT that has none.
func (s *Server) authorize(r *http.Request) (any, error) {
	token, given := s.requestToken(r)
	if !given {
		return nil, nil
	}
	if _, err := s.chat.Authenticate(r.Context(), token); err != nil {
		logInternal(s.log, "handshake", err)
		return nil, HandshakeRefusal(err)
	}
	return token, nil
}

// requestToken returns the token in the request. Credentials with another scheme than Bearer (RFC 6750, section
// 2.1) are ignored: they are meant for a proxy in front of this server.
func (s *Server) requestToken(r *http.Request) (token string, given bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), true
	}
	if s.queryToken {
		token = r.URL.Query().Get("token")
		return token, token != ""
	}
	return "", false
}

// connect is the middleware that opens a session for a valid token.
func (s *Server) connect(ctx context.Context, c *sio.Connect) error {
	var auth connectAuth
	if len(c.Auth) > 0 {
		if err := json.Unmarshal(c.Auth, &auth); err != nil {
			return connectError(domain.Errorf(domain.CodeUnauthorized, "the token must be a string"))
		}
	}
	if auth.Token == "" {
		auth.Token, _ = c.Value.(string)
	}
	if auth.Token == "" {
		return connectError(domain.Errorf(domain.CodeUnauthorized, "a token is required"))
	}
	return s.enter(ctx, c, auth.Token)
}

// enter opens the session. The hub must know the socket before the application knows the session, so that a
// session that is to be ended at once is found. sio remembers a Disconnect of a socket that is not connected yet,
// and carries it out once it is.
func (s *Server) enter(ctx context.Context, c *sio.Connect, token string) error {
	s.hub.add(c.Socket)
	in := false
	defer func() {
		if !in {
			s.hub.remove(c.Socket)
		}
	}()
	if c.Recovering {
		err := s.recover(ctx, c.Socket, token)
		in = err == nil
		return err
	}
	if _, err := s.chat.Connect(ctx, sessionID(c.Socket), token); err != nil {
		logInternal(s.log, "connect", err)
		return connectError(err)
	}
	in = true
	return nil
}

// recover reopens the session of a client that lost its connection. What the session missed is sent through the
// socket, after what was on its way when the connection was lost and before live events: the hub knows the socket
// before the application sends the session anything live.
func (s *Server) recover(ctx context.Context, socket *sio.Socket, token string) error {
	from, ok := socket.Value.(domain.Absence)
	if !ok {
		return sio.ErrNotRecovered
	}
	recovered, err := s.chat.Recover(ctx, sessionID(socket), from, token, func(missed []domain.Event) {
		for _, e := range missed {
			s.hub.send(socket, e)
		}
	})
	if recovered {
		socket.Value = nil
		return nil
	}
	if err != nil {
		logInternal(s.log, "recover", err)
		return connectError(err)
	}
	return sio.ErrNotRecovered
}

// disconnected closes the session. It has left for good only if the client said so or the application ended it;
// in every other case the client may come back. The hub forgets the socket last, because everything must reach it
// until the application has noted how far the session got.
func (s *Server) disconnected(ctx context.Context, socket *sio.Socket, reason sio.Reason) {
	how := ports.Dropped
	if reason == sio.ReasonClientDisconnect || reason == sio.ReasonServerDisconnect {
		how = ports.Left
	}
	socket.Value = s.chat.Disconnect(ctx, sessionID(socket), how)
	s.hub.remove(socket)
}

// call is a Call from a Socket.IO socket.
type call struct{ e *sio.Event }

func (c call) Session() domain.SessionID { return sessionID(c.e.Socket) }
func (c call) Event() string             { return c.e.Name }
func (c call) WantsAck() bool            { return c.e.WantsAck() }
func (c call) Ack(args ...any) error     { return c.e.Ack(args...) }

// Bind refuses binary data: in what is stored and sent on, its placeholders would refer to nothing.
func (c call) Bind(into ...any) error {
	if len(c.e.Attachments) > 0 {
		return errBinary
	}
	return c.e.Bind(into...)
}

func (c call) Emit(event string, args ...any) error { return c.e.Emit(event, args...) }
