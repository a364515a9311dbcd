package socketio

import (
	"context"
	"log/slog"

	"parley/domain"
	"parley/ports"
)

// Call is one event from a client, whatever protocol it came by. It is valid only while it is handled.
type Call interface {
	// Session is the calling client's session.
	Session() domain.SessionID
	// Event is the event's name.
	Event() string
	// Bind decodes the event's arguments, in order.
	Bind(into ...any) error
	// WantsAck reports whether the client waits for an ack.
	WantsAck() bool
	// Ack answers the event. Only the first call has an effect, and only if the client waits for an ack.
	Ack(args ...any) error
	// Emit sends an event to the calling client only. Like an ack, it does not count against the client's outbox.
	Emit(event string, args ...any) error
}

// Endpoints handle the events of the wire contract, for every protocol that carries them.
type Endpoints struct {
	chat ports.Chat
	log  *slog.Logger
	on   map[string]func(context.Context, Call)
}

// NewEndpoints returns the endpoints of a chat.
func NewEndpoints(chat ports.Chat, log *slog.Logger) *Endpoints {
	e := &Endpoints{chat: chat, log: log}
	e.on = map[string]func(context.Context, Call){
		eventJoin:     handle(e, e.join),
		eventLeave:    handle(e, e.leave),
		eventMessage:  handle(e, e.message),
		eventTyping:   handle(e, e.typing),
		eventPresence: handle(e, e.presence),
		eventSeen:     handle(e, e.seen),
		eventHistory:  handle(e, e.history),
		eventRefresh:  handle(e, e.refresh),
	}
	return e
}

// Serve handles one call.
func (e *Endpoints) Serve(ctx context.Context, c Call) {
	if h := e.on[c.Event()]; h != nil {
		h(ctx, c)
		return
	}
	e.fail(c, domain.Errorf(domain.CodeInvalidPayload, "unknown event"))
}

func (e *Endpoints) join(ctx context.Context, from Call, r joinRequest, reply func(any)) error {
	join, err := r.join()
	if err != nil {
		return err
	}
	return e.chat.Join(ctx, from.Session(), join, func(j ports.Joined) {
		reply(newJoinAck(j))
		for _, w := range j.Written {
			e.tell(from, w)
		}
		for _, r := range j.Reports {
			e.tell(from, r)
		}
	})
}

// tell sends the calling client an event that belongs to the answer.
func (e *Endpoints) tell(to Call, event domain.Event) {
	name, payload := WireEvent(event)
	if err := to.Emit(name, payload); err != nil {
		e.log.Error("event not encoded", "event", name, "error", err)
	}
}

func (e *Endpoints) leave(ctx context.Context, from Call, r conversationRequest, reply func(any)) error {
	c, err := domain.ParseConversationID(r.ConversationID)
	if err != nil {
		return err
	}
	if err := e.chat.Leave(ctx, from.Session(), c); err != nil {
		return err
	}
	reply(leaveAck{OK: true, ConversationID: string(c)})
	return nil
}

func (e *Endpoints) message(ctx context.Context, from Call, r messageRequest, reply func(any)) error {
	send, err := r.send()
	if err != nil {
		return err
	}
	receipt, err := e.chat.Send(ctx, from.Session(), send)
	if err != nil {
		return err
	}
	reply(newMessageAck(receipt))
	return nil
}

func (e *Endpoints) typing(ctx context.Context, from Call, r typingRequest, reply func(any)) error {
	c, err := domain.ParseConversationID(r.ConversationID)
	if err != nil {
		return err
	}
	if r.IsTyping == nil {
		return domain.Errorf(domain.CodeInvalidPayload, "isTyping is missing")
	}
	if err := e.chat.Typing(ctx, from.Session(), c, *r.IsTyping); err != nil {
		return err
	}
	reply(doneAck{OK: true})
	return nil
}

func (e *Endpoints) presence(ctx context.Context, from Call, r conversationRequest, reply func(any)) error {
	c, err := domain.ParseConversationID(r.ConversationID)
	if err != nil {
		return err
	}
	users, err := e.chat.Presence(ctx, from.Session(), c)
	if err != nil {
		return err
	}
	reply(presenceAck{OK: true, Members: members(users)})
	return nil
}

func (e *Endpoints) seen(ctx context.Context, from Call, r seenRequest, reply func(any)) error {
	c, err := domain.ParseConversationID(r.ConversationID)
	if err != nil {
		return err
	}
	if r.Seq == nil {
		return domain.Errorf(domain.CodeInvalidPayload, "seq is missing")
	}
	if err := e.chat.Acknowledge(ctx, from.Session(), c, *r.Seq); err != nil {
		return err
	}
	reply(doneAck{OK: true})
	return nil
}

func (e *Endpoints) history(ctx context.Context, from Call, r historyRequest, reply func(any)) error {
	c, page, err := r.page()
	if err != nil {
		return err
	}
	h, err := e.chat.History(ctx, from.Session(), c, page)
	if err != nil {
		return err
	}
	reply(newHistoryAck(h))
	return nil
}

func (e *Endpoints) refresh(ctx context.Context, from Call, r refreshRequest, reply func(any)) error {
	if r.Token == "" {
		return domain.Errorf(domain.CodeInvalidPayload, "token is missing")
	}
	refreshed, err := e.chat.Refresh(ctx, from.Session(), r.Token)
	if err != nil {
		return err
	}
	reply(newRefreshAck(refreshed))
	return nil
}
