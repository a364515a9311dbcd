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
	// QueryToken also takes the token from the query parameter `token`, where it ends up in logs.
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
	s.io = sio.NewServer(sio.Config{Engine: config.Engine, ConnectTimeout: config.ConnectTimeout, NoBinary: true, Logger: log})
	n := s.io.Of(namespace)
	n.Use(s.connect)
	n.OnConnect(func(_ context.Context, socket *sio.Socket) { hub.add(socket) })
	n.OnDisconnect(s.disconnected)
	n.OnViolation(s.violated)
	n.On(eventJoin, handle(s, s.join))
	n.On(eventLeave, handle(s, s.leave))
	n.On(eventMessage, handle(s, s.message))
	n.On(eventTyping, handle(s, s.typing))
	n.On(eventPresence, handle(s, s.presence))
	n.OnUnhandled(s.unknown)
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

// authorize takes a token from the handshake request. A bad one is refused before the upgrade; a good
// one is what CONNECT uses if it brings none.
func (s *Server) authorize(r *http.Request) (any, error) {
	token, given := s.requestToken(r)
	if !given {
		return nil, nil
	}
	if _, err := s.chat.Authenticate(r.Context(), token); err != nil {
		s.logInternal("handshake", err)
		return nil, handshakeRefusal(err)
	}
	return token, nil
}

// requestToken returns the token that the request brings. Credentials of another scheme than Bearer
// (RFC 6750, section 2.1) are not for us: they are those of a proxy before this server.
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
	if _, err := s.chat.Connect(ctx, sessionID(c.Socket), auth.Token); err != nil {
		s.logInternal("connect", err)
		return connectError(err)
	}
	return nil
}

// disconnected closes the session. Only a client that said so has left for good: every other end may
// be a connection that comes back.
func (s *Server) disconnected(ctx context.Context, socket *sio.Socket, reason sio.Reason) {
	s.hub.remove(socket)
	how := ports.Dropped
	if reason == sio.ReasonClientDisconnect {
		how = ports.Left
	}
	s.chat.Disconnect(ctx, sessionID(socket), how)
}

func (s *Server) join(ctx context.Context, id domain.SessionID, r joinRequest, reply func(any)) error {
	join, err := r.join()
	if err != nil {
		return err
	}
	return s.chat.Join(ctx, id, join, func(j ports.Joined) { reply(newJoinAck(j)) })
}

func (s *Server) leave(ctx context.Context, id domain.SessionID, r conversationRequest, reply func(any)) error {
	c, err := domain.ParseConversationID(r.ConversationID)
	if err != nil {
		return err
	}
	if err := s.chat.Leave(ctx, id, c); err != nil {
		return err
	}
	reply(leaveAck{OK: true, ConversationID: string(c)})
	return nil
}

func (s *Server) message(ctx context.Context, id domain.SessionID, r messageRequest, reply func(any)) error {
	send, err := r.send()
	if err != nil {
		return err
	}
	receipt, err := s.chat.Send(ctx, id, send)
	if err != nil {
		return err
	}
	reply(newMessageAck(receipt))
	return nil
}

func (s *Server) typing(ctx context.Context, id domain.SessionID, r typingRequest, reply func(any)) error {
	c, err := domain.ParseConversationID(r.ConversationID)
	if err != nil {
		return err
	}
	if r.IsTyping == nil {
		return domain.Errorf(domain.CodeInvalidPayload, "isTyping is missing")
	}
	if err := s.chat.Typing(ctx, id, c, *r.IsTyping); err != nil {
		return err
	}
	reply(doneAck{OK: true})
	return nil
}

func (s *Server) presence(ctx context.Context, id domain.SessionID, r conversationRequest, reply func(any)) error {
	c, err := domain.ParseConversationID(r.ConversationID)
	if err != nil {
		return err
	}
	users, err := s.chat.Presence(ctx, id, c)
	if err != nil {
		return err
	}
	reply(presenceAck{OK: true, Members: members(users)})
	return nil
}
