//go:build linux

package scenario

import (
	"context"
	"errors"
	"time"

	"parley/test/load/internal/swarm"
)

const (
	// spokenEvery is how often a message is sent in each conversation if the rate is not given. So every client has the
	// offset of an event before its connection is cut, and misses some while it is away.
	spokenEvery = 4 * time.Second
	slowestDrop = 40 // messages per second

	mostAway  = 2 * time.Minute // a client that is not back by then counts as lost
	aliveSoon = time.Second     // sending goes on so much longer than a whole turn, on both sides of the outage
)

// DropCrowd returns the crowd of the scenario Drop: the clients of c, all of which are dropped, and one more for each
// conversation, which sends and stays connected.
func DropCrowd(c swarm.Config) swarm.Config {
	c.Rooms = min(max(c.Rooms, 1), max(c.Clients, 1))
	c.Drop = c.Clients
	c.Clients += c.Rooms
	return c
}

// DropRate is the default number of messages per second, over all conversations in turn.
func DropRate(rooms int) float64 { return max(slowestDrop, float64(rooms)/spokenEvery.Seconds()) }

// drop connects everybody, cuts all connections but the senders' while messages are sent, and lets all come back. Before
// and after the outage, at least one message goes to every conversation.
func (b *bench) drop(ctx context.Context, result *Result) error {
	if b.Crowd.Polling {
		return errors.New("connections are dropped and recovered over WebSocket alone")
	}
	b.Crowd = DropCrowd(b.Crowd)
	result.Clients, result.Rooms = b.Crowd.Clients, b.Crowd.Rooms
	if b.Crowd.Users == 0 {
		result.Users = result.Clients
	}
	s, err := b.crowd(b.Crowd.Clients)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := b.connect(ctx, s, result, true); err != nil {
		return err
	}
	if result.Connect.Done > 0 && s.Recovers() == 0 {
		return &missingError{event: "CONNECT with a pid, so it recovers no connection"}
	}
	if _, err := b.settle(ctx, aliveSoon); err != nil {
		return err
	}
	plan := b.Plan
	plan.Senders = b.Crowd.Rooms
	turn := time.Duration(float64(b.Crowd.Rooms)/plan.Rate*float64(time.Second)) + aliveSoon
	plan.Drop = swarm.Drop{After: turn, Limit: mostAway, Tail: turn}
	plan.Warmup, plan.Duration = 0, 2*turn+mostAway
	if result.Load, err = b.send(ctx, s, plan); err != nil {
		return err
	}
	if _, err := b.settle(ctx, aliveSoon); err != nil {
		return err
	}
	result.Load.Recovery.RSSAfter = b.meter().ServerRSS
	return nil
}
