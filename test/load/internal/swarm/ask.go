//go:build linux

package swarm

import (
	"context"
	"errors"
	"time"

	"parley/test/load/internal/wire"
)

// ErrUnanswered means that the server did not answer an event in time. It may not know the event.
var ErrUnanswered = errors.New("swarm: not answered")

// question is an event whose answer somebody waits for. It belongs to the loop of its client.
type question struct {
	id     int64
	answer chan<- answer
}

// answer is what the server says to an event.
type answer struct {
	ok   bool
	code string
}

// Ask emits an event with one argument, given as JSON, from the first client that has joined, and waits at most limit for
// the answer: ok, or the code of a refusal. The error is ErrUnanswered, that of writing, or that of ctx. Call it between
// runs.
func (s *Swarm) Ask(ctx context.Context, event string, argument []byte, limit time.Duration) (ok bool, code string, err error) {
	senders := s.senders(1)
	if len(senders) == 0 {
		return false, "", errNoSender
	}
	c, id := senders[0], s.nextAck
	s.nextAck++
	heard := make(chan answer, 1)
	c.loop.call(func() { c.loop.question = question{id: id, answer: heard} })
	defer c.loop.call(func() { c.loop.question = question{} })
	if err := c.send(wire.AppendEvent(nil, id, event, argument)); err != nil {
		return false, "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrUnanswered)
	defer cancel()
	select {
	case a := <-heard:
		return a.ok, a.code, nil
	case <-ctx.Done():
		return false, "", context.Cause(ctx)
	}
}

// Conversation returns the id of a room.
func (s *Swarm) Conversation(room int) string { return s.rooms[room] }

// answers reports whether the packet is the answer that Ask waits for, and passes it on.
func (l *loop) answers(p wire.Packet) bool {
	q := l.question
	if q.answer == nil || p.ID != q.id {
		return false
	}
	l.question = question{}
	var a answer
	a.ok, a.code = wire.Accepted(p.Body)
	q.answer <- a
	return true
}
