//go:build linux

package swarm

import (
	"bytes"
	"math/rand/v2"
	"time"

	"parley/test/load/internal/wire"
)

// Ack ids with a fixed meaning. Those of sends follow them.
const (
	joinAck = iota
	leaveAck
	idleAck   // a join of a conversation that is never used
	rejoinAck // the join of a client that was dropped and not recovered
	firstFreeAck
)

var (
	messageEvent = []byte(`42["message",`)
	pong         = []byte("3")
)

// frame handles one frame and returns why the connection must end, or "".
func (l *loop) frame(c *client, f wire.Frame, now time.Duration) string {
	switch f.Op {
	case wire.OpPing:
		return failure(c.write(wire.AppendMasked(nil, wire.OpPong, rand.Uint32(), f.Payload)))
	case wire.OpPong:
		return ""
	case wire.OpClose:
		return "closed by the server"
	}
	op, payload, whole, err := c.stream.Whole(f)
	if err != nil {
		return err.Error()
	}
	if !whole || op != wire.OpText { // binary attachments are of no interest here
		return ""
	}
	return l.text(c, payload, now)
}

// text handles one text packet of either transport, and returns why the connection must end, or "".
func (l *loop) text(c *client, packet []byte, now time.Duration) string {
	if bytes.HasPrefix(packet, messageEvent) {
		l.message(c, packet[2:], false, now)
		l.note(c, packet[2:])
		return ""
	}
	return l.packet(c, packet, now)
}

func failure(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// packet handles everything but the usual message event, and returns why the connection must end, or "".
func (l *loop) packet(c *client, text []byte, now time.Duration) string {
	p := wire.ParsePacket(text)
	switch p.Kind {
	case wire.Ping:
		return failure(c.send(pong))
	case wire.Ack:
		l.ack(c, p, now)
	case wire.Event:
		reason := l.event(c, p, now)
		l.note(c, p.Body)
		return reason
	case wire.Close, wire.Disconnected:
		return "disconnected by the server"
	case wire.Unknown:
		l.tally.malformed("packet of unknown kind", text)
	}
	return ""
}

// event handles an event and returns why the connection must end, or "".
func (l *loop) event(c *client, p wire.Packet, now time.Duration) string {
	switch string(wire.EventName(p.Body)) {
	case "message":
		l.message(c, p.Body, p.ID != wire.NoID, now)
	case "message_delivered":
		l.reported(c, p, now)
	case "typing":
		l.typed(c, p)
	case "error":
		l.tally.errors[wire.ScanCode(p.Body)]++
	default:
		l.tally.others++
	}
	if p.ID != wire.NoID {
		return l.confirm(c, p.ID)
	}
	return ""
}

// message counts one delivery. A message that asks for an ack may come more than once.
func (l *loop) message(c *client, body []byte, asks bool, now time.Duration) {
	t := &l.tally
	stamp, seq, ok := wire.ScanMessage(body)
	if !ok {
		t.malformed("message without stamp or seq", body)
		return
	}
	if c.churns && !c.joined {
		t.churning.Strays++
		return
	}
	if asks && c.seen.Seen(seq) {
		t.confirming.Resent++
		return
	}
	if !c.seen.See(seq) {
		return
	}
	t.delivered++
	if t.run == nil || t.run.counts(c) {
		t.arrived++
	}
	t.bytes += uint64(len(body))
	t.high[c.room] = max(t.high[c.room], seq)
	if r := t.run; r != nil && stamp.Due >= r.schedule.Due(0) {
		t.time(r, stamp, now)
		if r.heads != nil {
			l.reached(c, stamp.Due, seq, now)
		}
	}
	if t.sampled++; t.run == nil || t.sampled%uint64(l.swarm.cfg.Sample) != 0 {
		return
	}
	t.checked++
	if _, err := wire.DecodeMessage(body, l.swarm.rooms[c.room], t.run.sizeOf(stamp.Number)); err != nil {
		t.malformed(err.Error(), body)
	}
}

// ack handles the answer to a join, a leave, an Ask, or a send of the current run.
func (l *loop) ack(c *client, p wire.Packet, now time.Duration) {
	t := &l.tally
	switch {
	case p.ID == joinAck:
		l.joined(c, p.Body, now)
		return
	case p.ID == leaveAck:
		l.left(c, p.Body, now)
		return
	case p.ID == idleAck:
		t.joins++
		if accepted, code := wire.Accepted(p.Body); accepted {
			t.idle++
		} else {
			t.joinErrors[code]++
		}
		return
	case p.ID == rejoinAck:
		l.joinedAnew(c, p.Body, now)
		return
	case l.answers(p):
		return
	}
	r := t.run
	if r == nil || p.ID < r.firstAck || p.ID >= r.firstAck+int64(r.schedule.Count()) {
		t.malformed("ack that nothing waits for", p.Body)
		return
	}
	number := int(p.ID - r.firstAck)
	if r.answers[number] != unanswered {
		t.malformed("second ack for one send", p.Body)
		return
	}
	t.answered++
	due := r.schedule.Due(number)
	if r.measures(due) {
		t.acks.Record(now - due)
	}
	accepted, code := wire.Accepted(p.Body)
	if !accepted {
		r.answers[number] = no
		t.refused[code]++
		return
	}
	r.answers[number] = yes
	t.accepted[c.room]++
	t.agreed++
	t.due += r.members[c.room]
	if seq, ok := wire.ScanSeq(p.Body); ok {
		t.high[c.room] = max(t.high[c.room], seq)
		return
	}
	t.malformed("ack without seq", p.Body)
}

// joined handles the answer to a client's join of its room, be it the first or one after a leave.
func (l *loop) joined(c *client, body []byte, now time.Duration) {
	t := &l.tally
	t.joins++
	again := c.waits == joining
	c.waits = settled
	errors := t.joinErrors
	if again {
		errors = t.churning.Refused
	}
	accepted, code := wire.Accepted(body)
	if !accepted {
		errors[code]++
		return
	}
	seq, ok := wire.ScanSeq(body)
	if !ok {
		errors["ack without seq"]++
		return
	}
	if again {
		l.rejoined(c, now)
	}
	c.joined = true
	c.seen.Start(seq)
	t.high[c.room] = max(t.high[c.room], seq)
}
