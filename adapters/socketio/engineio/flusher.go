package engineio

import (
	"iter"
	"runtime"
	"sync"
)

// flusher writes the outboxes of sessions that have something to send. It has at most maxWorkers workers, which live
// only while there is work: no goroutine stands by per connection, and none has to be stopped. A worker writes
// everything that a session has pending at once. So a lone message leaves immediately, and under load, while sessions
// wait for their turn, their frames coalesce by themselves.
//
// A session is in the queue at most once (see flushState), so the number of sessions bounds the queue.
type flusher struct {
	mu      sync.Mutex
	queue   []*Session
	head    int
	workers int
}

// maxTurn bounds how many sessions a worker takes from the queue at a time: enough to make the lock cheap, few enough
// to share the work evenly.
const maxTurn = 32

// maxWorkers leaves one processor to the goroutines that read. The runtime looks for readable sockets when a processor
// has nothing to run, and otherwise every 10 ms: workers on all processors, which never wait under load, would leave
// what clients send unread for that long. Fewer workers write more at a time instead.
func maxWorkers() int { return max(1, runtime.GOMAXPROCS(0)-1) }

// push queues sessions that are flushQueued, and starts a worker unless there are enough. It does not keep the slice.
func (f *flusher) push(sessions ...*Session) {
	f.mu.Lock()
	f.queue = append(f.queue, sessions...)
	start := f.workers < maxWorkers()
	if start {
		f.workers++
	}
	f.mu.Unlock()
	if start {
		go f.work()
	}
}

// Multicast enqueues the packets for each of the sessions, with nothing in between. It does not block and does no I/O.
func Multicast(to iter.Seq[*Session], packets ...*Packet) {
	var dirty batch
	defer dirty.push() // also if the sequence panics: a session that is not pushed would never be flushed again
	for recipient := range to {
		if s := recipient.enqueue(packets...); s != nil {
			dirty.add(s)
		}
	}
}

// batch gathers dirty sessions of one server, so that the queue is locked once for many.
type batch struct {
	sessions [maxTurn]*Session
	n        int
}

func (b *batch) add(s *Session) {
	if b.n == len(b.sessions) || b.n > 0 && b.sessions[0].server != s.server {
		b.push()
	}
	b.sessions[b.n] = s
	b.n++
}

func (b *batch) push() {
	if b.n > 0 {
		b.sessions[0].server.flusher.push(b.sessions[:b.n]...)
		b.n = 0
	}
}

func (f *flusher) work() {
	w := writers.Get().(*writer)
	defer writers.Put(w)
	for {
		n := f.next(w.turn[:])
		if n == 0 {
			return
		}
		for i, s := range w.turn[:n] {
			w.turn[i] = nil
			s.flush(w)
		}
	}
}

// next moves a fair share of the queue into turn and returns its size. If that is 0, the worker is no longer counted
// and must return.
func (f *flusher) next(turn []*Session) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	waiting := f.queue[f.head:]
	if len(waiting) == 0 {
		f.workers--
		f.queue, f.head = f.queue[:0], 0
		return 0
	}
	n := copy(turn[:min(len(turn), 1+len(waiting)/(2*f.workers))], waiting)
	clear(waiting[:n])
	f.head += n
	// Sessions that become dirty again while others are written can keep the queue from ever being empty: unless moved
	// down, it would grow for as long as the load lasts.
	if f.head > len(f.queue)/2 {
		left := copy(f.queue, f.queue[f.head:])
		clear(f.queue[left:])
		f.queue, f.head = f.queue[:left], 0
	}
	return n
}
