//go:build linux

package compare

import (
	"time"

	"parley/test/load/internal/scenario"
)

// How long a run takes besides its plan, roughly, on two cores that do nothing else.
const (
	overhead    = 1500 * time.Millisecond // start, wait for calm before and after, stop
	perClient   = 600 * time.Microsecond  // connect and join, on average over the servers
	calm        = 5 * time.Second         // the whole wait for calm: a server that sends pings is never calm
	kneeTrials  = 12
	kneeBreaks  = 4 // trials that break: each waits for its backlog, and the next one connects everybody anew
	perTrial    = 300 * time.Millisecond
	perBreak    = 2500 * time.Millisecond
	idleHolds   = 3 // in halves of the plan's time
	idleReading = time.Second
	dropTurns   = 10 * time.Second // before and after the outage, together
	dropOutage  = 3                // in times that a set-up takes
)

// estimate returns how long the whole comparison will take on an idle machine.
func (c Config) estimate(peers []Peer) (total time.Duration) {
	for _, m := range c.measurements() {
		for round := range m.rounds {
			for i, p := range peers {
				if m.takesPart(p, i == 0, round) {
					total += m.takes()
				}
			}
		}
	}
	return total
}

func (m measurement) takes() time.Duration {
	plan := m.config.Plan
	setUp := time.Duration(m.config.Crowd.Clients) * perClient
	d := overhead + setUp
	switch {
	case m.config.Scenario == scenario.Storm:
		return d
	case m.config.Scenario == scenario.Idle:
		d += setUp + idleHolds*plan.Duration/2 + 2*idleReading
		if m.env != nil {
			d += calm
		}
		return d
	case m.config.Scenario == scenario.Drop:
		return d + dropOutage*setUp + dropTurns + 2*calm
	case m.config.FindKnee:
		return d + kneeTrials*(plan.Warmup+plan.Duration+perTrial) + kneeBreaks*(perBreak+setUp)
	}
	return d + plan.Warmup + plan.Duration
}
