package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fault is a kind of broken promise.
type Fault string

// The promises that may be broken.
const (
	// Lost: a client did not get a message that it was to get.
	Lost Fault = "lost"
	// Doubled: a client got a message twice that does not ask for confirmation.
	Doubled Fault = "doubled"
	// Reordered: a client got a message behind a later one.
	Reordered Fault = "reordered"
	// Phantom: a message that nobody sent, or that is told otherwise than it was sent.
	Phantom Fault = "phantom"
	// Different: two were told different things of one place.
	Different Fault = "different"
	// Leaked: a message that was refused, or one told to a client that is not in its conversation.
	Leaked Fault = "leaked"
	// Repeated: one message id has two places.
	Repeated Fault = "repeated"
	// Echoed: a message came to the socket that had sent it without echo.
	Echoed Fault = "echoed"
	// Unrecovered: missed messages were refused though the log has them.
	Unrecovered Fault = "unrecovered"
	// Absent: presence is not the truth.
	Absent Fault = "presence"
	// Miscounted: a confirmation is missing, comes twice or is wrong.
	Miscounted Fault = "miscounted"
)

// Verdict is what was looked at and what was found.
type Verdict struct {
	// Accepted counts the messages in all logs, Deliveries their arrivals at clients that were to get them,
	// Replayed those of them that came in the answer to a join, Repeats the further arrivals of messages that
	// ask for confirmation.
	Accepted, Deliveries, Replayed, Repeats int
	// Duplicates counts sends that were answered as repeats, RefusedSends those that were refused.
	Duplicates, RefusedSends int
	// Connections counts all of them, Recovered those that carried on.
	Connections, Recovered int
	// Changes counts arrivals and departures that clients were told of.
	Changes int
	// Confirmed counts accepted messages that asked for confirmation; Reports what was told of them; Partial
	// those with somebody pending; Exact those whose members at the time are known.
	Confirmed, Reports, Partial, Exact int

	Faults map[Fault][]string
}

func (v *Verdict) fault(f Fault, format string, args ...any) {
	if v.Faults == nil {
		v.Faults = map[Fault][]string{}
	}
	v.Faults[f] = append(v.Faults[f], fmt.Sprintf(format, args...))
}

// String tells the numbers in a line, and a few faults of each kind.
func (v *Verdict) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d messages, %d deliveries (%d replayed by a join), lost %d, doubled %d, reordered %d; "+
		"%d repeated sends, %d refused sends, %d connections (%d recovered), %d changes of presence; "+
		"%d to be confirmed, %d reports (%d partial, %d against known members), %d repeats of those",
		v.Accepted, v.Deliveries, v.Replayed, len(v.Faults[Lost]), len(v.Faults[Doubled]), len(v.Faults[Reordered]),
		v.Duplicates, v.RefusedSends, v.Connections, v.Recovered, v.Changes,
		v.Confirmed, v.Reports, v.Partial, v.Exact, v.Repeats)
	for _, f := range slices.Sorted(maps.Keys(v.Faults)) {
		all := v.Faults[f]
		fmt.Fprintf(&b, "\n%s: %d", f, len(all))
		for _, one := range all[:min(len(all), 5)] {
			b.WriteString("\n  " + one)
		}
	}
	return b.String()
}
