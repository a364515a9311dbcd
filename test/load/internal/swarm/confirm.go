//go:build linux

package swarm

import (
	"strconv"
	"strings"
	"time"

	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// Confirmed is the outcome for messages that ask for confirmation. Every client acknowledges them at once.
type Confirmed struct {
	Asked      uint64            `json:"asked"`  // deliveries that asked for an acknowledgement
	Resent     uint64            `json:"resent"` // those of them that repeat an earlier delivery; not counted as doubled
	Complete   int               `json:"complete"`
	Partial    int               `json:"partial"`
	Missing    int               `json:"missing"`    // accepted and never reported
	Doubled    int               `json:"doubled"`    // second reports of one message to the session that sent it
	Miscounted int               `json:"miscounted"` // reports that expect another number of users than the room has
	Latency    tally.Percentiles `json:"latency"`    // of reports, from the message's due time; a missing one counts as tally.Never
}

// confirming is a loop's part of Confirmed.
type confirming struct {
	Confirmed
	latency *tally.Latency
}

// messageID names send k of the run.
func (s *Swarm) messageID(r *run, k int) string {
	return s.cfg.Prefix + "-m" + strconv.FormatInt(r.firstAck+int64(k), 10)
}

// number finds the send that a messageId names.
func (s *Swarm) number(r *run, messageID string) (k int, ok bool) {
	digits, ok := strings.CutPrefix(messageID, s.cfg.Prefix+"-m")
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	k = int(id - r.firstAck)
	return k, err == nil && k >= 0 && k < r.schedule.Count()
}

// confirm acknowledges a message that asks for it and returns why the connection must end, or "".
func (l *loop) confirm(c *client, id int64) string {
	l.tally.confirming.Asked++
	return failure(c.send(wire.AppendAck(nil, id)))
}

// reported counts a message_delivered, but only at the session that sent the message: other sessions of the same user get
// it, too.
func (l *loop) reported(c *client, p wire.Packet, now time.Duration) {
	t := &l.tally
	t.others++
	r := t.run
	if r == nil || !r.confirm {
		return
	}
	report, err := wire.DecodeReport(p.Body, l.swarm.rooms[c.room])
	if err != nil {
		t.malformed("message_delivered: "+err.Error(), p.Body)
		return
	}
	k, ok := l.swarm.number(r, report.MessageID)
	if !ok || r.senders[k%len(r.senders)] != c { // of an earlier run, or another session's
		return
	}
	if r.reports[k] {
		t.confirming.Doubled++
		return
	}
	r.reports[k] = true
	t.reports++
	if report.Status == "complete" {
		t.confirming.Complete++
	} else {
		t.confirming.Partial++
	}
	if report.Expected != r.expected[c.room] {
		t.confirming.Miscounted++
	}
	if due := r.schedule.Due(k); r.measures(due) {
		t.confirming.latency.Record(now - due)
	}
}

// othersOf returns, for each room, how many users a message must reach: all but its sender.
func (s *Swarm) othersOf() []int {
	users := make([]map[string]struct{}, len(s.rooms))
	s.each(func(l *loop) {
		for _, c := range s.clients {
			if c.loop != l || !c.joined {
				continue
			}
			if users[c.room] == nil {
				users[c.room] = map[string]struct{}{}
			}
			users[c.room][c.user] = struct{}{}
		}
	})
	others := make([]int, len(s.rooms))
	for room, in := range users {
		others[room] = max(len(in)-1, 0)
	}
	return others
}

// settle adds up what the loops counted; accepted is the number of messages to be reported.
func (c *Confirmed) settle(parts []confirming, accepted int) {
	latency := tally.NewLatency()
	for _, p := range parts {
		c.Asked += p.Asked
		c.Resent += p.Resent
		c.Complete += p.Complete
		c.Partial += p.Partial
		c.Doubled += p.Doubled
		c.Miscounted += p.Miscounted
		latency.Merge(p.latency)
	}
	c.Missing = max(accepted-c.Complete-c.Partial, 0)
	latency.RecordN(tally.Never, uint64(c.Missing))
	c.Latency = latency.Percentiles()
}
