//go:build linux

package compare

import (
	"time"

	"parley/test/load/internal/scenario"
)

// What a run takes besides its plan. Rough, of two cores that do nothing else; a busy machine
// takes longer.
const (
	overhead    = 1500 * time.Millisecond // start, calm before and after, stop
	perClient   = 600 * time.Microsecond  // connect and join, mean of the servers
	calm        = 5 * time.Second         // a server that pings is not calm, so that wait is used up
	kneeTrials  = 12
	kneeBreaks  = 4 // each waits for its backlog, and connects everybody anew
	perTrial    = 300 * time.Millisecond
	perBreak    = 2500 * time.Millisecond
	idleHolds   = 3 // halves of the plan's time
	idleReading = time.Second
	dropTurns   = 10 * time.Second // before and after the outage
	dropOutage  = 3                // times a set-up
)

// estimate is how long the whole comparison will take.
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
