//go:build linux

package compare

import (
	"context"
	"time"

	"parley/test/load/internal/report"
	"parley/test/load/internal/scenario"
)

// Normal and Pinging are for tests of the configuration.
func (c Config) Normal() (Config, error) { return c.normal() }

// Pinging is the environment idle connections are held with.
func (c Config) Pinging() string { return pinging(c.Ping) }

// Sweep is Sweeps with other values.
func (c Config) Sweep(ctx context.Context, s scenario.Sweep, clients int) (*report.Sweeps, error) {
	return c.sweep(ctx, []sweep{{s, clients}})
}

// Estimate is how long a comparison is said to take.
func (c Config) Estimate() (time.Duration, error) {
	c, err := c.normal()
	if err != nil {
		return 0, err
	}
	peers, err := c.peers()
	return c.estimate(peers), err
}

// Plans returns the names of a round's measurements with what they run.
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
