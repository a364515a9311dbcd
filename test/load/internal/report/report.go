//go:build linux

// Package report turns the samples of a comparison into what people read: a table of medians with spreads, ratios and
// verdicts, what stopped each search, and a page with charts. It measures nothing itself, so the page can be tested with
// known figures.
package report

import (
	"fmt"
	"slices"

	"parley/test/load/internal/scenario"
)

// Names of the measurements. A sample's At tells measurements of the same name apart.
const (
	Storm  = "storm"  // connections set up
	Idle   = "idle"   // connections held
	Size   = "size"   // one room of At members, at the same number of deliveries a second
	Knee   = "knee"   // search for the highest rate
	Rate   = "rate"   // one room at At messages a second
	Rooms  = "rooms"  // the same connections spread over At rooms
	Steady = "steady" // big messages in one room
	Stuck  = "stuck"  // the same with one member in a hundred that does not read
	Drop   = "drop"   // At connections lost at once, and recovered
)

// Sizes are what the comparison was asked to measure; the rows of the tables follow from them.
type Sizes struct {
	Peers       []string  `json:"peers"`       // the first is the one to be judged
	RoomClients int       `json:"roomClients"` // one of RoomSizes
	RoomRate    float64   `json:"roomRate"`    // messages per second in a room of RoomClients
	RoomSizes   []int     `json:"roomSizes"`   // ascending
	Rates       []float64 `json:"rates"`       // messages per second, ascending
	IdleClients int       `json:"idleClients"` // half of the idle connections
	FewRooms    int       `json:"fewRooms"`
	ManyRooms   int       `json:"manyRooms"`
	RoomSpoken  int       `json:"roomSpoken"`  // messages in each of them
	DropClients int       `json:"dropClients"` // 0: not measured
	Cores       int       `json:"cores"`       // of the machine
}

// Sample is one run of one peer.
type Sample struct {
	Peer        string          `json:"peer"`
	Measurement string          `json:"measurement"`
	At          float64         `json:"at,omitempty"`
	Round       int             `json:"round"` // from 0
	Result      scenario.Result `json:"result"`
}

// Report is everything measured.
type Report struct {
	Sizes
	ForceGC     bool     `json:"forceGC"` // garbage was to be collected before memory was read
	Title       string   `json:"title"`   // one line: when, and at which commit
	Environment []string `json:"environment"`
	Samples     []Sample `json:"samples"`
	Faults      []string `json:"faults,omitempty"` // runs whose figures must not be trusted, and why
}

// Add adds a sample, and notes what is wrong with it. Rates are raised until they break, so for them a broken run is no
// fault.
func (r *Report) Add(s Sample) {
	r.Samples = append(r.Samples, s)
	for _, why := range r.faultsOf(s) {
		r.Faults = append(r.Faults, s.String()+": "+why)
	}
}

// Fail notes a run that could not be measured at all.
func (r *Report) Fail(s Sample, err error) {
	r.Faults = append(r.Faults, fmt.Sprintf("%s: not measured: %v", s, err))
}

// String names the run: peer, measurement, round.
func (s Sample) String() string {
	name := s.Measurement
	if s.At != 0 {
		name += " " + thousands(s.At)
	}
	return fmt.Sprintf("%s, %s, round %d", s.Peer, name, s.Round+1)
}

func (r *Report) faultsOf(s Sample) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, p := range []struct {
		name  string
		phase *scenario.Phase
	}{{"connected", s.Result.Connect}, {"joined", s.Result.Join}} {
		if p.phase != nil && p.phase.Done < p.phase.Wanted {
			fault("only %d of %d clients %s: %v", p.phase.Done, p.phase.Wanted, p.name, p.phase.Errors)
		}
	}
	if load := s.Result.Load; load != nil && s.Measurement != Rate && load.Fault() != "" {
		fault("%s", load.Fault())
	}
	if !s.Result.Supported && s.Result.Missing != "" {
		fault("not run: the server does not answer %s", s.Result.Missing)
	}
	m := s.Result.Memory
	if m != nil && m.GCForced != r.ForceGC {
		fault("garbage was not collected before memory was read")
	}
	if m != nil && m.Dropped > 0 {
		fault("%d idle connections were dropped", m.Dropped)
	}
	return faults
}

// round is what one peer did in one round. Figures are combined only within a round.
type round struct {
	report *Report
	peer   string
	number int
}

func (u round) result(measurement string, at float64) *scenario.Result {
	for i := range u.report.Samples {
		s := &u.report.Samples[i]
		if s.Peer == u.peer && s.Round == u.number && s.Measurement == measurement && s.At == at {
			return &s.Result
		}
	}
	return nil
}

func (u round) load(measurement string, at float64) *scenario.Load {
	if r := u.result(measurement, at); r != nil {
		return r.Load
	}
	return nil
}

func (u round) memory(measurement string, at float64) *scenario.Memory {
	if r := u.result(measurement, at); r != nil {
		return r.Memory
	}
	return nil
}

// rounds returns the numbers of the rounds that have samples, ascending.
func (r *Report) rounds() (numbers []int) {
	for _, s := range r.Samples {
		if !slices.Contains(numbers, s.Round) {
			numbers = append(numbers, s.Round)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// spread collects a figure of a peer over all rounds that have it.
func (r *Report) spread(f figure, peer string) spread {
	if f == nil {
		return spread{}
	}
	var values []float64
	for _, number := range r.rounds() {
		if v, ok := f(round{r, peer, number}); ok {
			values = append(values, v)
		}
	}
	return spreadOf(values)
}
