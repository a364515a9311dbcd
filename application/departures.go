package application

import (
	"log/slog"
	"sync"
	"time"
)

// departures owns the timers of users who dropped and may come back: one per dropped session, so
// there are at most as many as sessions dropped within the grace time. A timer whose user came back
// runs out and does nothing; nobody has to find and stop it.
type departures struct {
	logger *slog.Logger
	// work counts timers that wait or run, and the Disconnects on their way.
	work sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	waiting map[*departure]struct{}
}

type departure struct{ timer *time.Timer }

func newDepartures(logger *slog.Logger) *departures {
	return &departures{logger: logger, waiting: map[*departure]struct{}{}}
}

// begin reports whether departures may still be told; if so, close waits for the call of done.
func (d *departures) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.work.Add(1)
	return true
}

func (d *departures) done() { d.work.Done() }

// after runs f on a goroutine of its own when wait has passed, unless close comes first.
func (d *departures) after(wait time.Duration, f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.work.Add(1)
	one := &departure{}
	// The timer's goroutine takes mu first, so it cannot run ahead of this assignment.
	one.timer = time.AfterFunc(wait, func() { d.run(one, f) })
	d.waiting[one] = struct{}{}
}

// run calls f for a timer that has fired.
func (d *departures) run(one *departure, f func()) {
	defer d.work.Done()
	d.mu.Lock()
	delete(d.waiting, one)
	d.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			d.logger.Error("telling a departure panicked", "panic", p)
		}
	}()
	f()
}

// close stops the timers and waits for what is on its way, which includes a timer that fires now.
func (d *departures) close() {
	d.mu.Lock()
	d.closed = true
	for one := range d.waiting {
		if one.timer.Stop() {
			d.work.Done()
		}
	}
	clear(d.waiting)
	d.mu.Unlock()
	d.work.Wait()
}
