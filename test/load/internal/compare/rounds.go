//go:build linux

package compare

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"parley/test/load/internal/report"
	"parley/test/load/internal/scenario"
)

// Run measures all peers in all rounds, and writes the page if Docs is set. It fails if the configuration is not allowed,
// if a peer cannot be started, if ctx ends, or if the page cannot be written. A single run that fails, or that finds
// something wrong, is among the report's faults instead.
func Run(ctx context.Context, c Config) (*report.Report, error) {
	c, err := c.normal()
	if err != nil {
		return nil, err
	}
	peers, err := c.peers()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	say("%d rounds of %v take about %s on an idle machine", c.Rounds, c.Peers, c.estimate(peers).Round(time.Second))
	faults := c.calm(ctx, "before the start", nil)
	// Start each peer once, so that one that cannot start is noticed now and not in half an hour.
	for _, p := range peers {
		s, err := p.start(ctx, secret(), nil)
		if err != nil {
			return nil, err
		}
		s.stop()
	}
	out := &report.Report{Sizes: c.sizes(runtime.NumCPU()), ForceGC: c.ForceGC, Title: title(began, c.Commit), Environment: environment(ctx, c), Faults: faults}
	if err := c.rounds(ctx, peers, out); err != nil {
		return out, err
	}
	out.Faults = c.calm(ctx, "after the end", out.Faults)
	took := time.Since(began)
	out.Environment = append(out.Environment, fmt.Sprintf("the whole took %s", took.Round(time.Second)))
	say("took %s", took.Round(time.Second))
	if c.Docs == "" {
		return out, nil
	}
	return out, out.Publish(c.Docs)
}

// calm returns the faults, with one more if the machine is busy with something else; it also says so at once.
func (c Config) calm(ctx context.Context, when string, faults []string) []string {
	if c.AnyLoad {
		return faults
	}
	if why := disturbed(ctx, when); why != "" {
		say("%s", why)
		return append(faults, why)
	}
	return faults
}

// say tells the person who waits, on standard error: the report goes to standard output.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (c Config) rounds(ctx context.Context, peers []Peer, out *report.Report) error {
	measurements := c.measurements()
	for round := range max(c.Rounds, c.KneeRounds) {
		broken := map[string]bool{} // peer and name of a ladder
		for _, m := range measurements {
			for i, p := range peers {
				if !m.takesPart(p, i == 0, round) || broken[p.Name+m.name] {
					continue
				}
				sample := report.Sample{Peer: p.Name, Measurement: m.name, At: m.at, Round: round}
				say("%s", sample)
				result, err := c.measure(ctx, p, m)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					out.Fail(sample, err)
					continue
				}
				sample.Result = result
				out.Add(sample)
				broken[p.Name+m.name] = m.broke(result)
			}
		}
	}
	return nil
}

// secret is long enough for HS256, which wants 32 bytes or more.
func secret() string { return rand.Text() + rand.Text() }

func (c Config) measure(ctx context.Context, p Peer, m measurement) (scenario.Result, error) {
	key := secret()
	s, err := p.start(ctx, key, m.env)
	if err != nil {
		return scenario.Result{}, err
	}
	defer s.stop()
	cfg := m.config
	cfg.Server, cfg.Secret, cfg.PID, cfg.GC = s.url, key, s.pid(), s.gc
	cfg.Crowd.Origin, cfg.Crowd.Nap, cfg.Crowd.Loops = origin, c.Nap, c.Loops
	if cfg.Plan.Size == 0 {
		cfg.Plan.Size = contentSize
	}
	result, err := scenario.Run(ctx, cfg)
	if err != nil {
		return result, fmt.Errorf("%w\n%s", err, s.output)
	}
	if result.Connect == nil || result.Connect.Done == 0 {
		return result, errors.Join(errors.New("nobody could connect"), setupError(result))
	}
	return result, nil
}

func setupError(r scenario.Result) error {
	if r.Connect == nil {
		return nil
	}
	return fmt.Errorf("%v", r.Connect.Errors)
}
