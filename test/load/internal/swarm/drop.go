//go:build linux

package swarm

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// Drop cuts the connections of the Config.Drop clients in the middle of a run, all at once, and lets them come back. The
// run's sends end Tail after the last one is back, so the run's Duration is only an upper bound.
type Drop struct {
	After time.Duration // from the beginning of the measured window to the cut
	Limit time.Duration // longest wait until all are back; 0 for no drop
	Tail  time.Duration // from the last one's return to the end of sends
}

// Recovered is the outcome for the clients that were dropped. Times begin at the cut.
type Recovered struct {
	Dropped   int            `json:"dropped"`
	CutTook   float64        `json:"cutMs"` // from the first connection to the last
	Back      int            `json:"back"`
	Recovered int            `json:"recovered"` // clients that are back with the same socket id and pid
	Rejoined  int            `json:"rejoined"`  // clients that are back otherwise and have joined their conversation anew
	Retries   int            `json:"retries"`
	Errors    map[string]int `json:"errors,omitempty"` // of all failed attempts, also if a later one succeeded
	// Whole counts clients that were recovered and got every message of their conversation once and in order, over the
	// whole run. Share is Whole divided by Dropped, where each client that stayed connected and did not get everything
	// counts as one more dropped.
	Whole int     `json:"whole"`
	Share float64 `json:"share"`
	// Missed counts the deliveries that were owed to recovered clients when they came back.
	Missed   uint64            `json:"missed"`
	LastBack float64           `json:"lastBackMs"`
	BackTook tally.Percentiles `json:"backTook"` // a client that does not come back counts as tally.Never
	// CaughtUp is the time until a client has, without a gap, everything that had been sent in its conversation when it
	// came back. A client that never has counts as tally.Never.
	CaughtUp tally.Percentiles `json:"caughtUp"`
	// Stayed are the latencies of messages due from the cut on, to clients that stayed connected.
	Stayed tally.Percentiles `json:"stayed"`

	ServerCPUMicros float64 `json:"serverCpuMicrosEach,omitempty"` // from the cut until all are back, over those back: messages included
	RSSBefore       int64   `json:"rssBefore,omitempty"`           // bytes, at the cut
	RSSPeak         int64   `json:"rssPeak,omitempty"`             // highest seen from the cut to the end of the tail
	RSSAfter        int64   `json:"rssAfter,omitempty"`            // bytes; set by the caller of Run
}

// dropping is a loop's part of Recovered.
type dropping struct {
	Recovered
	at                     time.Duration // of the cut, on the swarm's clock; 0 before it
	back, caughtUp, stayed *tally.Latency
}

func newDropping() dropping {
	return dropping{
		Recovered: Recovered{Errors: map[string]int{}},
		back:      tally.NewLatency(), caughtUp: tally.NewLatency(), stayed: tally.NewLatency(),
	}
}

// drop is the goroutine that cuts the connections and sets them up again.
type drop struct {
	swarm *Swarm
	plan  Drop
	at    time.Duration
	meter func() Meter
	away  []*returning
	out   Recovered
}

// newDrop returns nil for a run without a drop.
func newDrop(s *Swarm, r *run, p Plan) *drop {
	if r.heads == nil {
		return nil
	}
	d := &drop{swarm: s, plan: p.Drop, at: r.from + p.Drop.After, meter: p.Meter}
	d.out.Errors = map[string]int{}
	if d.meter == nil {
		d.meter = func() Meter { return Meter{} }
	}
	return d
}

func (d *drop) run(ctx context.Context) {
	if pause(ctx, d.at-d.swarm.now()) != nil {
		return
	}
	before := d.meter()
	d.out.RSSBefore = before.ServerRSS
	var watch sync.WaitGroup
	watching, stop := context.WithCancel(ctx)
	watch.Go(func() { d.watch(watching) })
	defer watch.Wait()
	defer stop()
	d.cut()
	back := d.comeBack(ctx)
	if cpu := d.meter().ServerCPU - before.ServerCPU; back > 0 {
		d.out.ServerCPUMicros = float64(cpu.Microseconds()) / float64(back)
	}
	_ = pause(ctx, d.plan.Tail) // if ctx ends, Run notices
}

// watchStep is how often the server's memory is looked at for its highest.
const watchStep = 20 * time.Millisecond

func (d *drop) watch(ctx context.Context) {
	for {
		d.out.RSSPeak = max(d.out.RSSPeak, d.meter().ServerRSS)
		if pause(ctx, watchStep) != nil {
			return
		}
	}
}

// cut ends all connections as if a proxy in front of the server had died: they are reset, without a close frame.
func (d *drop) cut() {
	at := d.swarm.now()
	d.swarm.each(func(l *loop) {
		l.tally.dropping.at = at
		for _, c := range d.swarm.clients {
			if c.loop == l && c.drops && c.fd >= 0 {
				l.reset(c)
				d.away = append(d.away, &returning{client: c, claim: c.resume.claim()})
			}
		}
	})
	d.out.Dropped = len(d.away)
	d.out.CutTook = (d.swarm.now() - at).Seconds() * 1000
}

func (l *loop) reset(c *client) {
	c.mu.Lock()
	// Without this, closing would send a FIN. It cannot fail on an open socket.
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	c.mu.Unlock()
	c.shut()
	c.resume.away, c.resume.recovered = true, false
}

// back counts a dropped client that is connected again. One that was not recovered joins anew, as its application would,
// and has then lost what was sent meanwhile.
func (l *loop) back(c *client, now time.Duration) {
	t := &l.tally.dropping
	if !c.resume.away {
		return
	}
	c.resume.away = false
	t.Back++
	t.back.Record(now - t.at)
	t.LastBack = max(t.LastBack, (now-t.at).Seconds()*1000)
	if !c.joined {
		if err := c.send(wire.AppendEvent(nil, rejoinAck, "join_conversation", []byte(`"`+l.swarm.rooms[c.room]+`"`))); err != nil {
			t.Errors["join: "+err.Error()]++
		}
		return
	}
	t.Recovered.Recovered++
	head := l.tally.run.heads[c.room].Load()
	if last := c.seen.Last(); head > last {
		t.Missed += head - last
	}
	l.behind(c, head, now)
}

// joinedAnew handles the answer to the join of a client that was not recovered.
func (l *loop) joinedAnew(c *client, body []byte, now time.Duration) {
	t := &l.tally
	accepted, code := wire.Accepted(body)
	seq, ok := wire.ScanSeq(body)
	if !accepted || !ok {
		t.dropping.Errors["join: "+code]++
		return
	}
	t.dropping.Rejoined++
	t.high[c.room] = max(t.high[c.room], seq)
	c.joined = true
	l.behind(c, seq, now)
}

// behind notes the seq up to which a client that is back must get everything.
func (l *loop) behind(c *client, owed uint64, now time.Duration) {
	c.resume.behind, c.resume.owed = true, owed
	l.catchUp(c, now)
}

// catchUp records the time if the client has everything it was owed.
func (l *loop) catchUp(c *client, now time.Duration) {
	if last := c.seen.Last(); last < c.resume.owed || c.seen.Until(last).Lost > 0 {
		return
	}
	c.resume.behind = false
	l.tally.dropping.caughtUp.Record(now - l.tally.dropping.at)
}

// reached notes, for a message that a client got, how far its conversation has come and whether the client has caught up.
func (l *loop) reached(c *client, due time.Duration, seq uint64, now time.Duration) {
	t := &l.tally.dropping
	switch {
	case c.resume.behind:
		l.catchUp(c, now)
	case !c.drops && t.at > 0 && due >= t.at:
		t.stayed.Record(now - due)
	}
	if head := &l.tally.run.heads[c.room]; c.id == c.room && seq > head.Load() {
		head.Store(seq)
	}
}

// settle adds up what the loops counted; high are the conversations' last numbers.
func (d *drop) settle(parts []dropping, high []uint64) *Recovered {
	out := &d.out
	back, caughtUp, stayed := tally.NewLatency(), tally.NewLatency(), tally.NewLatency()
	for _, p := range parts {
		out.Back += p.Back
		out.Recovered += p.Recovered.Recovered
		out.Rejoined += p.Rejoined
		out.Missed += p.Missed
		out.LastBack = max(out.LastBack, p.LastBack)
		add(out.Errors, p.Errors)
		back.Merge(p.back)
		caughtUp.Merge(p.caughtUp)
		stayed.Merge(p.stayed)
	}
	counted := out.Dropped
	d.swarm.each(func(l *loop) {
		for _, c := range d.swarm.clients {
			if c.loop != l {
				continue
			}
			isWhole := c.fd >= 0 && c.seen.Until(high[c.room]).Clean()
			switch {
			case c.drops && c.resume.recovered && isWhole:
				out.Whole++
			case !c.drops && !isWhole:
				counted++
			}
		}
	})
	if counted > 0 {
		out.Share = float64(out.Whole) / float64(counted)
	}
	back.RecordN(tally.Never, uint64(out.Dropped-out.Back))
	caughtUp.RecordN(tally.Never, uint64(out.Dropped)-caughtUp.Percentiles().Count)
	out.BackTook, out.CaughtUp, out.Stayed = back.Percentiles(), caughtUp.Percentiles(), stayed.Percentiles()
	return out
}
