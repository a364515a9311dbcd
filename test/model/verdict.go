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
	// Lost: a client did not get a message that it must get.
	Lost Fault = "lost"
	// Doubled: a client got a message twice that does not ask for confirmation.
	Doubled Fault = "doubled"
	// Reordered: a client got a message after a later one.
	Reordered Fault = "reordered"
	// Phantom: a message that nobody sent, or not as it arrived.
	Phantom Fault = "phantom"
	// Different: an answer, an event and the log disagree about the message at one place.
	Different Fault = "different"
	// Leaked: a refused message is in a log, or a client was told something of a conversation that it is not in.
	Leaked Fault = "leaked"
	// Repeated: one message id stands at two places.
	Repeated Fault = "repeated"
	// Echoed: a message came to the socket that had sent it without echo.
	Echoed Fault = "echoed"
	// Unrecovered: a join was denied missed messages that the log has, or a recovered socket has another id.
	Unrecovered Fault = "unrecovered"
	// Absent: the members that clients were told are not those that are there.
	Absent Fault = "presence"
	// Miscounted: a message_delivered is missing, comes twice or is wrong.
	Miscounted Fault = "miscounted"
)

// Verdict counts what was checked and lists what was wrong.
type Verdict struct {
	// Accepted counts the messages in all logs, Deliveries their arrivals at clients, each counted once, Replayed those of
	// them that came in the answer to a join, Repeats the further arrivals of messages that ask for confirmation. Late
	// counts the repeats to a client that joined after the message: the server asks a user again through any client.
	Accepted, Deliveries, Replayed, Repeats, Late int
	// Duplicates counts sends that were answered as repeats, RefusedSends those that were refused.
	Duplicates, RefusedSends int
	// Connections counts all of them, Recovered those that were recovered.
	Connections, Recovered int
	// Changes counts arrivals and departures that clients were told of.
	Changes int
	// Confirmed counts accepted messages that asked for confirmation, Reports those of them that were reported, Partial
	// the reports with users pending, Exact the reports of messages whose members are known exactly.
	Confirmed, Reports, Partial, Exact int

	// Faults are descriptions for people, by kind; nil if there is none.
	Faults map[Fault][]string
}

func (v *Verdict) fault(f Fault, format string, args ...any) {
	if v.Faults == nil {
		v.Faults = map[Fault][]string{}
	}
	v.Faults[f] = append(v.Faults[f], fmt.Sprintf(format, args...))
}

// String returns the counts in one line, followed by at most five faults of each kind.
func (v *Verdict) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d messages, %d deliveries (%d replayed by a join), lost %d, doubled %d, reordered %d; "+
		"%d repeated sends, %d refused sends, %d connections (%d recovered), %d changes of presence; "+
		"%d to be confirmed, %d reports (%d partial, %d against known members), %d repeats of those (%d to clients that came later)",
		v.Accepted, v.Deliveries, v.Replayed, len(v.Faults[Lost]), len(v.Faults[Doubled]), len(v.Faults[Reordered]),
		v.Duplicates, v.RefusedSends, v.Connections, v.Recovered, v.Changes,
		v.Confirmed, v.Reports, v.Partial, v.Exact, v.Repeats, v.Late)
	for _, f := range slices.Sorted(maps.Keys(v.Faults)) {
		all := v.Faults[f]
		fmt.Fprintf(&b, "\n%s: %d", f, len(all))
		for _, one := range all[:min(len(all), 5)] {
			b.WriteString("\n  " + one)
		}
	}
	return b.String()
}
