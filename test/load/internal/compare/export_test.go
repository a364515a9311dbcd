//go:build linux

package compare

import (
	"context"
	"time"

	"parley/test/load/internal/report"
	"parley/test/load/internal/scenario"
)

// Normal is normal.
func (c Config) Normal() (Config, error) { return c.normal() }

// Pinging is the variable that sets the ping interval of a server with idle connections.
func (c Config) Pinging() string { return pinging(c.Ping) }

// Sweep is Sweeps with one sweep of other values.
func (c Config) Sweep(ctx context.Context, s scenario.Sweep, clients int) (*report.Sweeps, error) {
	return c.sweep(ctx, []sweep{{s, clients}})
}

// Estimate is the duration that a comparison announces at its start.
func (c Config) Estimate() (time.Duration, error) {
	c, err := c.normal()
	if err != nil {
		return 0, err
	}
	peers, err := c.peers()
	return c.estimate(peers), err
}

// Plans returns the names of a round's measurements, and the runs that they consist of.
func (c Config) Plans() (names []string, configs []scenario.Config) {
	for _, m := range c.measurements() {
		names, configs = append(names, m.name), append(configs, m.config)
	}
	return names, configs
}

// Ticks reads busy and total ticks of a line of /proc/stat.
func Ticks(line string) (busy, total int64) {
	t := parseTicks(line)
	return t.busy, t.total
}
