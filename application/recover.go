package application

import (
	"context"
	"slices"

	"parley/domain"
	"parley/ports"
)

// maxReplay bounds how many missed messages one recovery replays. A client that has missed more does better to join
// again and read what it needs.
const maxReplay = 10_000

// Recover puts a dropped session back where it was. It checks first whether that is possible everywhere, so that the
// usual refusal changes nothing. What is lost between the check and a join is found by that join.
func (c *Chat) Recover(
	ctx context.Context, id domain.SessionID, from domain.Absence, token string, replay func([]domain.Event),
) (recovered bool, err error) {
	who, err := c.auth.Authenticate(ctx, token)
	if err != nil {
		return false, err
	}
	if who.User != from.User {
		return false, nil
	}
	if possible, err := c.recoverable(ctx, who, from); !possible || err != nil {
		return false, err
	}
	if err := c.sessions.add(id, who, from.Places); err != nil {
		return false, err
	}
	var reports []domain.MessageDelivered
	for i, p := range from.Places {
		taken, back, err := c.putBack(ctx, id, from.User, p, replay)
		reports = append(reports, taken...)
		if err == nil && back {
			continue
		}
		c.Disconnect(ctx, id, ports.Dropped)
		for _, r := range reports {
			c.reports.keep(who.User, r, nil, c.cfg.ConfirmWindow)
		}
		if err == nil || i == 0 {
			return false, err
		}
		// The error is not returned, because it would invite another try, which would replay the same events again.
		c.logger.Warn("a recovery failed half-way", "session", id, "user", who.User, "error", err)
		return false, nil
	}
	if s, err := c.sessions.get(id); err == nil {
		s.returned()
	}
	return true, nil
}

// recoverable reports whether the user may still be in all the conversations, and whether everything that the session
// has missed is still known.
func (c *Chat) recoverable(ctx context.Context, who domain.Identity, from domain.Absence) (bool, error) {
	missed := 0
	for _, p := range from.Places {
		if c.cfg.Access.Check(who, p.Conversation) != nil {
			return false, nil
		}
		messages, gap, err := c.log.After(ctx, p.Conversation, p.At)
		if err != nil {
			return false, err
		}
		if _, complete := c.unheard.since(p.Conversation, who.User, p.Mark); !complete {
			return false, nil
		}
		if missed += len(messages); gap != "" || missed > maxReplay {
			return false, nil
		}
	}
	return true, nil
}

// putBack joins the session to the place again and replays what it has missed; back is false if something of that is
// no longer known. reports are those that the join has taken from c.reports, whether replayed or not.
func (c *Chat) putBack(
	ctx context.Context, id domain.SessionID, user domain.UserID, p domain.Place, replay func([]domain.Event),
) (reports []domain.MessageDelivered, back bool, err error) {
	err = c.Join(ctx, id, ports.Join{Conversation: p.Conversation, After: &p.At}, func(j ports.Joined) {
		reports = j.Reports
		var events []domain.Event
		if events, back = c.missed(j, user, p); back {
			replay(events)
		}
	})
	return reports, back, err
}

// missed returns what the session has missed since the place, in order. Messages whose delivery still waits for the
// user ask for the confirmation again. complete is false if something is no longer known. The caller holds the
// conversation's lock.
func (c *Chat) missed(j ports.Joined, user domain.UserID, from domain.Place) (events []domain.Event, complete bool) {
	notes, complete := c.unheard.since(j.Conversation, user, from.Mark)
	if !complete || !j.Recovered {
		return nil, false
	}
	events = make([]domain.Event, 0, len(j.Messages)+len(notes)+len(j.Written)+len(j.Reports))
	for _, r := range j.Reports {
		// The same report may have been kept both in reports and in unheard.
		if !slices.ContainsFunc(notes, func(n note) bool { return n.reports(r.Message) }) {
			events = append(events, r)
		}
	}
	asked := c.deliveries.awaiting(j.Conversation, user)
	for _, m := range j.Messages {
		for ; len(notes) > 0 && notes[0].seq < m.Seq; notes = notes[1:] {
			events = append(events, notes[0].event)
		}
		events = append(events, domain.MessageSent{Message: m, Delivery: asked[m.Seq]})
	}
	for _, n := range notes {
		events = append(events, n.event)
	}
	for _, w := range j.Written {
		events = append(events, w)
	}
	return events, true
}
