//go:build linux

package swarm

import (
	"context"
	"time"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// Churned is the outcome for members that leave and join while messages flow. It is known exactly what such a member must
// get: everything after the seq of the answer to its join, up to the highest seq that any client of its loop had seen when
// it asked to leave, in order; and nothing while it is out.
type Churned struct {
	Rate       float64           `json:"rate"` // joins and leaves per second
	Members    int               `json:"members"`
	Joins      int               `json:"joins"`
	Leaves     int               `json:"leaves"`
	Skipped    int               `json:"skipped"` // changes not made because the member's last one was not answered yet
	Refused    map[string]int    `json:"refused,omitempty"`
	Unsent     map[string]int    `json:"unsent,omitempty"`
	Unanswered int               `json:"unanswered"`
	Strays     uint64            `json:"strays"` // messages to a member that was out
	Deliveries tally.Deliveries  `json:"deliveries"`
	JoinTook   tally.Percentiles `json:"joinLatency"` // answer less due time
	LeaveTook  tally.Percentiles `json:"leaveLatency"`
}

// What a churning client waits for.
const (
	settled byte = iota
	joining
	leaving
)

// unplanned is the due time of a change that is not on the schedule.
const unplanned time.Duration = -1

// churning is a loop's part of Churned.
type churning struct {
	Churned
	joinTook, leaveTook *tally.Latency
}

// churn is the goroutine that makes members leave and join on a schedule.
type churn struct {
	swarm    *Swarm
	members  []*client
	rate     float64
	schedule pace.Schedule
}

// newChurn returns nil for a run without churn.
func newChurn(s *Swarm, r *run, p Plan) *churn {
	if !r.churns {
		return nil
	}
	c := &churn{swarm: s, rate: p.ChurnRate, schedule: pace.NewSchedule(r.schedule.Due(0), p.ChurnRate, p.Warmup+p.Duration)}
	for _, one := range s.clients {
		if one.churns {
			c.members = append(c.members, one)
		}
	}
	return c
}

func (g *churn) run(ctx context.Context) {
	for k := 0; k < g.schedule.Count(); {
		if pause(ctx, g.schedule.Due(k)-g.swarm.now()) != nil {
			return
		}
		for due := g.schedule.DueBy(g.swarm.now()); k < due; k++ {
			c, at := g.members[k%len(g.members)], g.schedule.Due(k)
			c.loop.post(func() { c.loop.change(c, at) })
		}
	}
}

// retire makes all members leave and waits for the answers, at most limit, so that every
// membership is closed and accounted for.
func (g *churn) retire(ctx context.Context, limit time.Duration) error {
	for began := g.swarm.now(); g.swarm.now()-began < limit; {
		in := 0
		g.swarm.each(func(l *loop) {
			for _, c := range g.members {
				if c.loop != l || c.waits == settled && !c.joined {
					continue
				}
				in++
				if c.waits == settled {
					l.change(c, unplanned)
				}
			}
		})
		if in == 0 {
			return nil
		}
		if err := pause(ctx, poll); err != nil {
			return err
		}
	}
	return nil
}

// change makes a member leave, or join again.
func (l *loop) change(c *client, due time.Duration) {
	t := &l.tally.churning
	if c.waits != settled {
		t.Skipped++
		return
	}
	event, id, waits := "join_conversation", int64(joinAck), joining
	if c.joined {
		event, id, waits = "leave_conversation", int64(leaveAck), leaving
		c.owed = l.tally.high[c.room]
	}
	if err := c.send(wire.AppendEvent(nil, id, event, []byte(`"`+l.swarm.rooms[c.room]+`"`))); err != nil {
		t.Unsent[err.Error()]++
		return
	}
	c.waits, c.due = waits, due
}

// left handles the answer to a leave: the account of this membership is closed.
func (l *loop) left(c *client, body []byte, now time.Duration) {
	t := &l.tally
	if c.waits != leaving {
		t.malformed("answer to no leave", body)
		return
	}
	c.waits = settled
	if accepted, code := wire.Accepted(body); !accepted {
		t.churning.Refused[code]++
		return
	}
	c.joined = false
	t.churning.Leaves++
	t.churning.Deliveries = t.churning.Deliveries.Add(c.seen.Until(max(c.owed, c.seen.Last())))
	l.tookFrom(t.churning.leaveTook, c.due, now)
}

// rejoined notes that a churning member is in again.
func (l *loop) rejoined(c *client, now time.Duration) {
	l.tally.churning.Joins++
	l.tookFrom(l.tally.churning.joinTook, c.due, now)
}

func (l *loop) tookFrom(h *tally.Latency, due, now time.Duration) {
	if r := l.tally.run; r != nil && due != unplanned && r.measures(due) {
		h.Record(now - due)
	}
}

// settle adds up what the loops counted. The membership of a member whose last change was not answered is not accounted
// for; Unanswered counts these.
func (g *churn) settle(parts []churning) *Churned {
	join, leave := tally.NewLatency(), tally.NewLatency()
	c := &Churned{Rate: g.rate, Members: len(g.members), Refused: map[string]int{}, Unsent: map[string]int{}}
	g.swarm.each(func(l *loop) {
		for _, one := range g.members {
			if one.loop == l && one.waits != settled {
				c.Unanswered++
			}
		}
	})
	for _, p := range parts {
		c.Joins += p.Joins
		c.Leaves += p.Leaves
		c.Skipped += p.Skipped
		c.Strays += p.Strays
		c.Deliveries = c.Deliveries.Add(p.Deliveries)
		add(c.Refused, p.Refused)
		add(c.Unsent, p.Unsent)
		join.Merge(p.joinTook)
		leave.Merge(p.leaveTook)
	}
	c.JoinTook, c.LeaveTook = join.Percentiles(), leave.Percentiles()
	return c
}
