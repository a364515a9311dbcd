package sio

import (
	"encoding/json"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"parley/adapters/socketio/sio/packet"
)

// The reasons why a client's ack did not arrive.
var (
	// ErrTimeout: the client did not answer in time.
	ErrTimeout = errors.New("sio: no ack in time")
	// ErrDisconnected: the socket disconnected, or had done so before. The client may have got the event.
	ErrDisconnected = errors.New("sio: disconnected before the ack")
	// ErrTooManyAsks: the socket owes too many acks, or one to this same event already. The event was not sent.
	ErrTooManyAsks = errors.New("sio: too many acks pending")
)

// maxAsks bounds the acks that one socket may owe.
const maxAsks = 1000

// lastAsk counts ack ids. All sockets share it, so that an event that asks many sockets for an ack is encoded
// once. The ids made from it are odd; the even ones belong to PrepareAsking.
var lastAsk atomic.Uint64

func newAskID() uint64 { return 2*lastAsk.Add(1) - 1 }

// Reply is a client's ack.
type Reply struct {
	// Args are the arguments as JSON, with placeholders for binary data; decode them with Bind.
	Args []json.RawMessage
	// Attachments are the ack's binary data.
	Attachments [][]byte
}

// Bind decodes the arguments like Event.Bind.
func (r *Reply) Bind(into ...any) error { return bind(r.Args, r.Attachments, into) }

// Ask sends an event that asks for an ack, and calls answer exactly once: with the ack, which is valid only
// during the call, or with ErrTimeout, ErrDisconnected or ErrTooManyAsks. answer is called like the socket's
// handlers, never at the same time as one of them, unless the socket was gone or owed too many acks: then it is
// called before Ask returns. The error is that of encoding the arguments; then answer is not called.
//
// The event is not sent again to a client that recovers: when the connection is lost, answer gets ErrDisconnected.
func (s *Socket) Ask(timeout time.Duration, answer func(*Reply, error), event string, args ...any) error {
	a, err := newAsk(s.namespace.name, timeout, event, args)
	if err != nil {
		return err
	}
	if err := s.owe(a, answer); err != nil {
		answer(nil, err)
		return nil
	}
	s.Send(a.event)
	return nil
}

// AskAll sends each socket an event that asks for an ack, encoded once, and calls answer once for each of them,
// as Ask does. The calls for different sockets may overlap.
func AskAll(
	namespace string, to iter.Seq[*Socket], timeout time.Duration, answer func(*Socket, *Reply, error), event string, args ...any,
) error {
	a, err := newAsk(namespace, timeout, event, args)
	if err != nil {
		return err
	}
	Multicast(func(yield func(*Socket) bool) {
		for s := range to {
			err := s.owe(a, func(r *Reply, err error) { answer(s, r, err) })
			if err != nil {
				answer(s, nil, err)
				continue
			}
			if !yield(s) {
				return
			}
		}
	}, a.event)
	return nil
}

// ask is an event that asks one socket or many for an ack.
type ask struct {
	id      uint64
	timeout time.Duration
	event   Prepared
}

func newAsk(namespace string, timeout time.Duration, event string, args []any) (ask, error) {
	o, err := newEvent(namespace, event, false, args)
	if err != nil {
		return ask{}, err
	}
	o.packet.ID, o.packet.HasID = newAskID(), true
	return ask{id: o.packet.ID, timeout: timeout, event: newPrepared(o)}, nil
}

// debts are the acks that a socket owes.
type debts struct {
	mu   sync.Mutex
	byID map[uint64]debt
}

type debt struct {
	answer func(*Reply, error)
	timer  *time.Timer
}

// owe records that the socket owes the ack.
func (s *Socket) owe(a ask, answer func(*Reply, error)) error {
	d := &s.debts
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.state.Load() != socketConnected {
		return ErrDisconnected
	}
	if _, twice := d.byID[a.id]; twice || len(d.byID) >= maxAsks {
		return ErrTooManyAsks
	}
	if d.byID == nil {
		d.byID = make(map[uint64]debt)
	}
	session := s.session()
	timer := time.AfterFunc(a.timeout, func() {
		session.Do(func() { s.settle(a.id, nil, ErrTimeout) })
	})
	d.byID[a.id] = debt{answer, timer}
	return nil
}

// settle answers one ask. It is called in the connection's turn. Unknown ids are ignored.
func (s *Socket) settle(id uint64, r *Reply, err error) {
	s.debts.mu.Lock()
	one, found := s.debts.byID[id]
	delete(s.debts.byID, id)
	s.debts.mu.Unlock()
	if found {
		one.timer.Stop()
		one.answer(r, err)
	}
}

// settleAll answers all asks with ErrDisconnected. The socket is not connected any more, so none can be added.
func (c *conn) settleAll(s *Socket) {
	s.debts.mu.Lock()
	open := s.debts.byID
	s.debts.byID = nil
	s.debts.mu.Unlock()
	for _, one := range open {
		one.timer.Stop()
		c.answer(one, nil, ErrDisconnected)
	}
}

// answer contains a panic, so that it cannot keep the other answers from being given.
func (c *conn) answer(to debt, r *Reply, err error) {
	defer c.recoverPanic()
	to.answer(r, err)
}

// acked handles a client's ack.
func (c *conn) acked(s *Socket, p *packet.Packet) {
	args, err := p.Args(nil)
	if err != nil {
		c.violation(err)
		return
	}
	if !p.HasID {
		return
	}
	defer c.recoverPanic()
	r := &Reply{Args: args, Attachments: p.Buffers}
	if p.ID%2 == 1 {
		s.settle(p.ID, r, nil)
		return
	}
	c.session.Got(s.namespace.name, p.ID)
	if s.namespace.onAck != nil {
		s.namespace.onAck(c.server.ctx, s, p.ID/2, r)
	}
}
