package sio

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
	"sync"
	"time"
)

// Answer is how one of many sockets answered an event that asked for an ack.
type Answer struct {
	Socket *Socket
	// Reply is the ack, which may be kept; nil if Err is set.
	Reply *Reply
	// Err is one of the errors that Ask passes to answer, or nil.
	Err error
}

// Gather sends each socket an event that asks for an ack, encoded once, and calls done once with all answers, in
// the order in which they came. done is called after the timeout at the latest, like a handler of the socket that
// was the last to answer; if there are no sockets, before Gather returns. The error is that of encoding the
// arguments; then done is not called.
func Gather(
	namespace string, to iter.Seq[*Socket], timeout time.Duration, done func([]Answer), event string, args ...any,
) error {
	g := gathering{open: 1, done: done}
	counted := func(yield func(*Socket) bool) {
		for s := range to {
			g.expect()
			if !yield(s) {
				return
			}
		}
	}
	err := AskAll(namespace, counted, timeout, func(s *Socket, r *Reply, err error) {
		g.note(Answer{Socket: s, Reply: r.clone(), Err: err})
	}, event, args...)
	if err == nil {
		g.note() // all have been asked
	}
	return err
}

// gathering counts answers.
type gathering struct {
	mu sync.Mutex
	// open is how many answers are missing, plus one until all sockets have been asked.
	open    int
	answers []Answer
	done    func([]Answer)
}

func (g *gathering) expect() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open++
}

func (g *gathering) note(answers ...Answer) {
	if g.add(answers) {
		g.done(g.answers)
	}
}

// add reports whether no answer is missing any more.
func (g *gathering) add(answers []Answer) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answers = append(g.answers, answers...)
	g.open--
	return g.open == 0
}

// clone copies what is valid only during the call.
func (r *Reply) clone() *Reply {
	if r == nil {
		return nil
	}
	c := &Reply{Args: slices.Clone(r.Args), Attachments: r.Attachments}
	for i, arg := range c.Args {
		c.Args[i] = json.RawMessage(bytes.Clone(arg))
	}
	return c
}
