//go:build linux

package scenario

import (
	"context"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/swarm"
)

// precision is the factor within which the search finds the knee.
const precision = 1.1

// knee searches the highest rate that holds. A crowd is used until a rate breaks. Then some of its connections may be gone
// and the server may have a backlog, so the next rate starts with a new crowd.
func (b *bench) knee(ctx context.Context, result *Result) error {
	var crowd *swarm.Swarm
	defer func() {
		if crowd != nil {
			crowd.Close()
		}
	}()
	k := &Knee{MaxP99Ms: b.MaxP99.Seconds() * 1000}
	result.Knee = k
	try := func(rate float64) (pace.Trial, error) {
		if crowd == nil {
			fresh, err := b.crowd(b.Crowd.Clients)
			if err != nil {
				return pace.Trial{}, err
			}
			crowd = fresh
			if err := b.connect(ctx, crowd, result, true); err != nil {
				return pace.Trial{}, err
			}
			if err := b.supported(ctx, crowd); err != nil {
				return pace.Trial{}, err
			}
			crowd.Stall()
		}
		plan := b.Plan
		plan.Rate = rate
		load, err := b.send(ctx, crowd, plan)
		if err != nil {
			return pace.Trial{}, err
		}
		why := load.breaks(b.MaxP99)
		if why == "" {
			k.At = load
			return pace.Trial{Rate: rate, Held: true}, nil
		}
		crowd.Close()
		crowd = nil
		return pace.Trial{Rate: rate, Why: why}, b.quiet(ctx)
	}
	search := pace.Search{Start: b.Plan.Rate, Max: b.MaxRate, Precision: precision, Retries: b.Retries}
	found, err := search.Run(try)
	k.Found = found
	return err
}
