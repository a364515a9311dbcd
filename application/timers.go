package application

import (
	"log/slog"
	"sync"
	"time"
)

// timers owns everything that happens later by itself: the end of a grace time, of typing, of deliveries, reports and
// streams. Each timer belongs to something whose number is bounded elsewhere. A timer that is no longer needed may be
// left to fire and find nothing to do.
type timers struct {
	logger *slog.Logger
	// work counts the timers that wait or run, and the calls between begin and done.
	work sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	waiting map[*timer]struct{}
}

type timer struct{ timer *time.Timer }

func newTimers(logger *slog.Logger) *timers {
	return &timers{logger: logger, waiting: map[*timer]struct{}{}}
}

// begin reports whether close has not been called yet. If so, close waits until the caller calls done.
func (t *timers) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.work.Add(1)
	return true
}

// done ends what begin began.
func (t *timers) done() { t.work.Done() }

// after runs f on a goroutine of its own when wait has passed, unless stop or close comes first. After
// close it does nothing and returns nil.
func (t *timers) after(wait time.Duration, f func()) *timer {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.work.Add(1)
	one := &timer{}
	// The timer's goroutine takes mu first, so it cannot run ahead of this assignment.
	one.timer = time.AfterFunc(wait, func() { t.run(one, f) })
	t.waiting[one] = struct{}{}
	return one
}

// stop ends a timer unless it has fired. The timer may be nil.
func (t *timers) stop(one *timer) {
	if one == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, waits := t.waiting[one]; waits && one.timer.Stop() {
		delete(t.waiting, one)
		t.work.Done()
	}
}

// run calls f for a timer that has fired.
func (t *timers) run(one *timer, f func()) {
	defer t.work.Done()
	t.mu.Lock()
	delete(t.waiting, one)
	t.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			t.logger.Error("a timer panicked", "panic", p)
		}
	}()
	f()
}

// close stops the timers, and waits for those that have fired and for calls between begin and done.
func (t *timers) close() {
	t.mu.Lock()
	t.closed = true
	for one := range t.waiting {
		if one.timer.Stop() {
			t.work.Done()
		}
	}
	clear(t.waiting)
	t.mu.Unlock()
	t.work.Wait()
}
