//go:build linux

package swarm

import (
	"context"
	"errors"
	"strconv"
	"time"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/wire"
)

// poll is how often a waiting caller looks at the counters.
const poll = 5 * time.Millisecond

var errNoProgress = errors.New("swarm: joins are not being answered")

// Join makes every open client join its room and its share of the idle conversations, with at most JoinRate joins per
// second and Joining unanswered at a time. Refused joins are reported in the Setup. The error says that none was answered
// for Timeout, or that ctx ended.
func (s *Swarm) Join(ctx context.Context) (Setup, error) {
	began := s.now()
	joins := len(s.clients) + s.cfg.Idle
	schedule := pace.NewSchedule(began, s.cfg.JoinRate, time.Duration(float64(joins+1)/s.cfg.JoinRate*float64(time.Second)))
	setup := Setup{Wanted: len(s.clients), Errors: map[string]int{}}
	before := s.progress.joins.Load()
	sent := uint64(0)
	for k := range joins {
		c, conversation, id := s.join(k)
		if err := s.joinsLeft(ctx, before+sent, uint64(s.cfg.Joining-1)); err != nil {
			return setup, err
		}
		if err := pause(ctx, schedule.Due(k)-s.now()); err != nil {
			return setup, err
		}
		if err := c.send(wire.AppendEvent(nil, id, "join_conversation", []byte(`"`+conversation+`"`))); err != nil {
			setup.Errors[err.Error()]++
			continue
		}
		sent++
	}
	err := s.joinsLeft(ctx, before+sent, 0)
	setup.Seconds = (s.now() - began).Seconds()
	s.each(func(l *loop) {
		for code, n := range l.tally.joinErrors {
			setup.Errors[code] += n
		}
		setup.Idle += l.tally.idle
		for _, c := range s.clients {
			if c.loop == l && c.joined {
				setup.Done++
			}
		}
	})
	return setup, err
}

// join returns the client that makes join k, the conversation, and the ack id of the answer. The clients' rooms come
// first, then the idle conversations.
func (s *Swarm) join(k int) (c *client, conversation string, id int64) {
	if k < len(s.clients) {
		c = s.clients[k]
		return c, s.rooms[c.room], joinAck
	}
	k -= len(s.clients)
	return s.clients[k%len(s.clients)], s.cfg.Prefix + "-idle-" + strconv.Itoa(k), idleAck
}

// joinsLeft waits until at most left of the sent joins are unanswered.
func (s *Swarm) joinsLeft(ctx context.Context, sent, left uint64) error {
	answered, since := s.progress.joins.Load(), s.now()
	for sent > answered+left {
		if err := pause(ctx, poll); err != nil {
			return err
		}
		if now := s.progress.joins.Load(); now != answered {
			answered, since = now, s.now()
		}
		if s.now()-since > s.cfg.Timeout {
			return errNoProgress
		}
	}
	return nil
}
