//go:build linux

package scenario

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"parley/test/load/internal/swarm"
)

// What a sweep may vary.
const (
	RoomSize      = "room-size"     // members of one conversation; unit: a delivery
	RoomCount     = "rooms"         // conversations of ten members; beyond a tenth of the clients, idle ones of one member
	Connections   = "connections"   // idle connections; unit: a connection
	HistoryLength = "history"       // messages in the log beforehand; unit: a message, a page
	Conversations = "conversations" // conversations that each user is in; unit: a membership
)

// Sweeps are all of them.
var Sweeps = []string{RoomSize, RoomCount, Connections, HistoryLength, Conversations}

const (
	perRoom        = 10
	sweepUsers     = 100 // in one big room: the join of each new user is announced to all members
	sweepJoinRate  = 10_000
	maxMemberships = 1000 // of one session
	// jump is how many times as much a cost must be as at the value before to be reported.
	jump = 1.5
	// leastCPU, in microseconds, is how much CPU time must have been measured to mean anything: the kernel counts it in
	// steps of 10 ms.
	leastCPU = 50_000
)

// Sweep runs one scenario per value, to show how cost per unit grows.
type Sweep struct {
	By         string
	Values     []int
	Deliveries float64 // per second, the same for all values, so that only the shape of the work differs; 0 keeps the rate
}

// ParseSweep reads a sweep written as `room-size=10,100,1000`.
func ParseSweep(text string) (Sweep, error) {
	by, list, _ := strings.Cut(text, "=")
	if !slices.Contains(Sweeps, by) {
		return Sweep{}, fmt.Errorf("sweep %q: must be one of %s, with values: room-size=10,100", text, strings.Join(Sweeps, " "))
	}
	s := Sweep{By: by}
	for one := range strings.SplitSeq(list, ",") {
		v, err := strconv.Atoi(strings.TrimSpace(one))
		if err != nil || v < 1 {
			return Sweep{}, fmt.Errorf("sweep %s: %q must be a whole number of at least 1", by, one)
		}
		s.Values = append(s.Values, v)
	}
	return s, nil
}

// Config returns the configuration for one value: cfg with what the sweep varies, and the rate that gives Deliveries. It
// fails if the value needs more memberships of a client than a server allows.
func (s Sweep) Config(cfg Config, value int) (Config, error) {
	if cfg.Crowd.Prefix != "" {
		cfg.Crowd.Prefix += "-" + strconv.Itoa(value)
	}
	cfg.FindKnee = false
	cfg.Crowd.JoinRate = max(cfg.Crowd.JoinRate, sweepJoinRate)
	crowd, members := &cfg.Crowd, perRoom
	switch s.By {
	case RoomSize:
		cfg.Scenario, members = Room, value
		crowd.Clients, crowd.Rooms, crowd.Users = value, 1, min(sweepUsers, value)
	case RoomCount:
		active := min(value, max(1, crowd.Clients/perRoom))
		cfg.Scenario = Rooms
		crowd.Clients, crowd.Rooms, crowd.Idle = active*perRoom, active, value-active
		cfg.Plan.Senders = active
	case Connections:
		cfg.Scenario = Idle
		crowd.Clients = max(1, value/2) // it holds two crowds
		crowd.Rooms = max(1, crowd.Clients/perRoom)
	case HistoryLength:
		cfg.Scenario, cfg.History, members = Room, value, crowd.Clients
		crowd.Rooms, crowd.Users = 1, min(sweepUsers, crowd.Clients)
	case Conversations:
		cfg.Scenario = Rooms
		crowd.Rooms = max(1, crowd.Clients/perRoom)
		crowd.Idle = (value - 1) * crowd.Clients
		cfg.Plan.Senders = crowd.Rooms
	}
	if idle := crowd.Idle; idle > 0 && (idle+crowd.Clients-1)/crowd.Clients >= maxMemberships {
		return cfg, fmt.Errorf("sweep %s=%d needs more than %d memberships of each client: use more -clients", s.By, value, maxMemberships)
	}
	if s.Deliveries > 0 {
		cfg.Plan.Rate = s.Deliveries / float64(members)
	}
	return cfg, nil
}

// Point is one value of a sweep.
type Point struct {
	Value  int                `json:"value"`
	Costs  map[string]float64 `json:"costs"`           // per unit, each named with its own
	Growth map[string]float64 `json:"growth"`          // of the costs since the value before, as ratios
	Fault  string             `json:"fault,omitempty"` // of its load
	Result Result             `json:"result"`
}

// Swept is the outcome of a sweep.
type Swept struct {
	By         string   `json:"sweep"`
	Deliveries float64  `json:"deliveriesPerSecond,omitempty"`
	Points     []Point  `json:"points"`
	Jumps      []string `json:"jumps,omitempty"` // costs which grew by half or more from one value to the next
}

// Run runs all values against one server, one after the other; what the server keeps of one is there at the next. What was
// measured before an error is returned with it.
func (s Sweep) Run(ctx context.Context, cfg Config) (Swept, error) {
	out := Swept{By: s.By, Deliveries: s.Deliveries}
	for _, value := range s.Values {
		step, err := s.Config(cfg, value)
		if err != nil {
			return out, err
		}
		// The server may still be busy with the end of the value before.
		if err := (&bench{Config: step}).quiet(ctx); err != nil {
			return out, err
		}
		result, err := Run(ctx, step)
		if err != nil {
			return out, fmt.Errorf("%s=%d: %w", s.By, value, err)
		}
		if result.Connect == nil || result.Connect.Done == 0 {
			return out, fmt.Errorf("%s=%d: %w", s.By, value, errNobody)
		}
		out.Add(value, result)
	}
	return out, nil
}

var errNobody = errors.New("nobody could connect")

// Add adds the result of the next value.
func (w *Swept) Add(value int, r Result) {
	p := Point{Value: value, Result: r, Costs: costs(w.By, r), Growth: map[string]float64{}}
	if r.Load != nil {
		p.Fault = r.Load.Fault()
	}
	if len(w.Points) > 0 {
		before := w.Points[len(w.Points)-1]
		for name, cost := range p.Costs {
			if was := before.Costs[name]; was > 0 {
				p.Growth[name] = cost / was
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.Growth)) {
			if p.Growth[name] >= jump {
				w.Jumps = append(w.Jumps, fmt.Sprintf("%s from %s=%d to %d: %.2f times", name, w.By, before.Value, value, p.Growth[name]))
			}
		}
	}
	w.Points = append(w.Points, p)
}

// costs returns a result's costs per unit of what the sweep varies. It leaves out costs that could not be read, and those
// of so little work that one step of the kernel's clock would look like a jump.
func costs(by string, r Result) map[string]float64 {
	all := map[string]float64{}
	put := func(name string, v float64) {
		if v > 0 {
			all[name] = v
		}
	}
	putCPU := func(name string, micros float64, units int) {
		if micros >= leastCPU {
			put(name, micros/float64(units))
		}
	}
	if c := r.Connect; c != nil {
		putCPU("cpuMicrosPerConnect", c.ServerCPUMicros*float64(c.Done), c.Done)
	}
	if j := r.Join; j != nil {
		putCPU("cpuMicrosPerJoin", j.ServerCPUMicros*float64(j.Done), j.Done+j.Idle)
	}
	if l := r.Load; l != nil {
		put("cpuMicrosPerDelivery", l.ServerCPUMicros)
		if r.RSSStart > 0 && r.History == nil { // with a history, the growth includes its messages
			name, units := rssUnit(by, r)
			put(name, float64(l.ServerRSS-r.RSSStart)/float64(units))
		}
	}
	if m := r.Memory; m != nil && m.Held > 0 {
		put("rssBytesPerIdleConnection", m.Each)
		put("cpuMicrosPerSecondPerIdleConnection", m.IdleCPU*1e6/float64(m.Held))
	}
	if h := r.History; h != nil {
		put("rssBytesPerMessage", h.Each)
		putCPU("cpuMicrosPerWrite", h.WriteCPU*float64(h.Messages), h.Messages)
		putCPU("cpuMicrosPerPage", h.PageCPU*pageCount, pageCount)
	}
	return all
}

// rssUnit says by how many units the growth of the server's memory is divided, and what the quotient is called.
func rssUnit(by string, r Result) (name string, units int) {
	switch by {
	case RoomCount:
		return "rssBytesPerRoom", r.Rooms + r.Idle
	case Conversations:
		return "rssBytesPerMembership", r.Clients + r.Idle
	}
	return "rssBytesPerConnection", r.Clients
}

// Largest is the largest number of descriptors that the connections of one value are.
func (s Sweep) Largest(cfg Config) (most int) {
	for _, value := range s.Values {
		if step, err := s.Config(cfg, value); err == nil {
			most = max(most, Held(step.Scenario, step.Crowd))
		}
	}
	return most
}

// Held returns how many file descriptors the connections of a scenario take.
func Held(scenario string, c swarm.Config) int {
	n := c.Clients
	if scenario == Idle {
		n *= 2 // two crowds
	}
	if scenario == Drop {
		n = DropCrowd(c).Clients
	}
	if c.Polling || scenario == Polling {
		n *= 2 // one connection polls, one posts
	}
	return n
}
