//go:build linux

package swarm

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// The pauses after failed attempts are those of socket.io-client: each is twice as long as the one before, up to a limit,
// and then made shorter or longer by up to half. There is none before the first attempt, so that all clients come at once.
const (
	firstReturnPause   = time.Second
	longestReturnPause = 5 * time.Second
	returnPauseJitter  = 0.5
)

// returning is a client that was dropped and is not back.
type returning struct {
	client   *client
	claim    claim
	failures int
}

func (r *returning) pause() time.Duration {
	d := firstReturnPause << min(r.failures-1, 3)
	d += time.Duration((2*rand.Float64() - 1) * returnPauseJitter * float64(d))
	return min(d, longestReturnPause)
}

// comeBack sets up all connections again, Config.Dialers at a time, and returns how many are open then. Like
// socket.io-client, it does not try again after the server has refused CONNECT.
func (d *drop) comeBack(ctx context.Context) (back int) {
	ctx, cancel := context.WithTimeout(ctx, d.plan.Limit)
	defer cancel()
	// Each client is in the queue at most once, so putting one in never blocks.
	queue := make(chan *returning, len(d.away))
	for _, r := range d.away {
		queue <- r
	}
	var mu sync.Mutex // guards back, left, and d.out's counts of attempts
	left := len(d.away)
	if left == 0 {
		return 0
	}
	var work sync.WaitGroup
	for range min(d.swarm.cfg.Dialers, len(d.away)) {
		work.Go(func() {
			for {
				var r *returning
				select {
				case <-ctx.Done():
					return
				case r = <-queue:
				}
				err := d.swarm.attempt(r.client, r.claim)
				var refused *refusedError
				final := err == nil || errors.As(err, &refused)
				mu.Lock()
				if err == nil {
					back++
				} else {
					d.out.Errors[err.Error()]++
				}
				if !final {
					d.out.Retries++
				} else if left--; left == 0 {
					cancel()
				}
				mu.Unlock()
				if final {
					continue
				}
				r.failures++
				work.Go(func() {
					if pause(ctx, r.pause()) == nil {
						queue <- r
					}
				})
			}
		})
	}
	work.Wait()
	return back
}
