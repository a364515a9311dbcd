//go:build linux

package swarm

import (
	"context"
	"strconv"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/wire"
)

// Typing is a flood of typing events besides the messages. The typists take turns; each says alternately that it types and
// that it does not, without asking for an answer.
type Typing struct {
	Rate    float64 // events per second over all typists, 0 for none
	Typists int     // how many of the joined clients, from the last one; at least one
}

// Typed is the outcome of the typing.
type Typed struct {
	Rate    float64        `json:"rate"` // events per second
	Typists int            `json:"typists"`
	Sent    int            `json:"sent"`
	Unsent  map[string]int `json:"unsent,omitempty"`
	Heard   uint64         `json:"heard"` // events received by all clients; the server may merge or drop some
}

// typing is the goroutine that sends the flood, on a schedule that does not wait for anybody.
type typing struct {
	swarm    *Swarm
	typists  []*client
	schedule pace.Schedule
	out      Typed
}

// newTyping returns nil for a run without typing. clients are those that may send.
func newTyping(s *Swarm, r *run, p Plan, clients []*client) *typing {
	if p.Typing.Rate <= 0 {
		return nil
	}
	n := min(max(p.Typing.Typists, 1), len(clients))
	return &typing{
		swarm: s, typists: clients[len(clients)-n:],
		schedule: pace.NewSchedule(r.schedule.Due(0), p.Typing.Rate, p.Warmup+p.Duration),
		out:      Typed{Rate: p.Typing.Rate, Typists: n, Unsent: map[string]int{}},
	}
}

func (t *typing) run(ctx context.Context) {
	for k := 0; k < t.schedule.Count(); {
		if pause(ctx, t.schedule.Due(k)-t.swarm.now()) != nil {
			return
		}
		for due := t.schedule.DueBy(t.swarm.now()); k < due; k++ {
			t.send(k)
		}
	}
}

func (t *typing) send(k int) {
	c := t.typists[k%len(t.typists)]
	isTyping := k/len(t.typists)%2 == 0
	argument := []byte(`{"conversationId":"` + t.swarm.rooms[c.room] + `","isTyping":` + strconv.FormatBool(isTyping) + `}`)
	if err := c.send(wire.AppendEvent(nil, wire.NoID, "typing", argument)); err != nil {
		t.out.Unsent[err.Error()]++
		return
	}
	t.out.Sent++
}

// typed counts one typing event. It checks the first, and then one in every Config.Sample.
func (l *loop) typed(c *client, p wire.Packet) {
	t := &l.tally
	t.others++
	if t.run == nil {
		return
	}
	if t.typed++; (t.typed-1)%uint64(l.swarm.cfg.Sample) != 0 {
		return
	}
	if err := wire.CheckTyping(p.Body, l.swarm.rooms[c.room]); err != nil {
		t.malformed("typing: "+err.Error(), p.Body)
	}
}
