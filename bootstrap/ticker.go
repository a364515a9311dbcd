package bootstrap

import "time"

// ticker calls a function at regular intervals on a goroutine of its own, from start to stop. It is used once.
type ticker struct {
	every time.Duration
	call  func(now time.Time)
	quit  chan struct{}
	done  chan struct{}
}

func newTicker(every time.Duration, call func(time.Time)) *ticker {
	return &ticker{every: every, call: call, quit: make(chan struct{}), done: make(chan struct{})}
}

func (t *ticker) start() {
	go func() {
		defer close(t.done)
		tick := time.NewTicker(t.every)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				if t.stopping() {
					return // select may choose a tick that came during a long call over quit
				}
				t.call(now)
			case <-t.quit:
				return
			}
		}
	}()
}

func (t *ticker) stopping() bool {
	select {
	case <-t.quit:
		return true
	default:
		return false
	}
}

// stop ends the goroutine, and waits for a call that is under way.
func (t *ticker) stop() {
	close(t.quit)
	<-t.done
}
