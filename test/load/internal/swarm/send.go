//go:build linux

package swarm

import (
	"context"
	"slices"
	"time"

	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// sending is the one goroutine that sends a run's messages, each when it is due or as soon as possible after that. It never
// waits for an answer.
type sending struct {
	swarm   *Swarm
	plan    *run
	senders []*client
	late    *tally.Latency
	failed  map[string]int
	sent    int
	due     int // sends that were due before it ended
	text    []byte
	body    []byte
}

func newSending(s *Swarm, r *run, senders []*client) *sending {
	return &sending{swarm: s, plan: r, senders: senders, late: tally.NewLatency(), failed: map[string]int{}}
}

func (g *sending) run(ctx context.Context) {
	schedule := g.plan.schedule
	for k := 0; k < schedule.Count(); {
		if pause(ctx, schedule.Due(k)-g.swarm.now()) != nil {
			return
		}
		for due := schedule.DueBy(g.swarm.now()); k < due; k++ {
			g.send(k, schedule.Due(k))
			g.due++
		}
	}
}

func (g *sending) send(k int, due time.Duration) {
	c := g.senders[k%len(g.senders)]
	g.body = append(g.body[:0], `{"conversationId":"`...)
	g.body = append(g.body, g.swarm.rooms[c.room]...)
	g.body = append(g.body, `","content":"`...)
	g.body = wire.AppendContent(g.body, wire.Stamp{Number: uint64(k), Due: due}, g.plan.sizeOf(uint64(k)))
	g.body = append(g.body, '"')
	if g.plan.confirm {
		g.body = append(g.body, `,"confirm":true,"messageId":"`...)
		g.body = append(append(g.body, g.swarm.messageID(g.plan, k)...), '"')
	}
	g.body = append(g.body, '}')
	g.text = wire.AppendEvent(g.text[:0], g.plan.firstAck+int64(k), "message", g.body)
	if err := c.send(g.text); err != nil {
		g.failed[err.Error()]++
		return
	}
	g.sent++
	if g.plan.measures(due) {
		g.late.Record(g.swarm.now() - due)
	}
}

func sortByID(clients []*client) {
	slices.SortFunc(clients, func(a, b *client) int { return a.id - b.id })
}
