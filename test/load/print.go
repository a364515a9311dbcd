//go:build linux

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
)

const mib = 1 << 20

// printResult writes a result for people, one line for each thing measured.
func printResult(w io.Writer, r scenario.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d clients, %d conversations, %d users, %s\n", r.Scenario, r.Clients, r.Rooms, r.Users, r.Server)
	printPhase(&b, "connect", r.Connect)
	printPhase(&b, "join", r.Join)
	if m := r.Memory; m != nil {
		fmt.Fprintf(&b, "memory     %.2f KiB per connection, %.2f marginal (%.1f MiB at the start, %.1f with %d, %.1f with %d connections, %d dropped; garbage collected first: %t; CPU while idle: %.3f cores)\n",
			m.Each/1024, m.Marginal/1024, float64(m.Start)/mib, float64(m.Middle)/mib, m.Below,
			float64(m.End)/mib, m.Held, m.Dropped, m.GCForced, m.IdleCPU)
	}
	if k := r.Knee; k != nil {
		for _, t := range k.Trials {
			verdict := "held"
			if !t.Held {
				verdict = "broke: " + t.Why
			}
			fmt.Fprintf(&b, "rate       %.1f/s %s\n", t.Rate, verdict)
		}
		fmt.Fprintf(&b, "highest    %.1f messages/s with p99 under %.0f ms and nothing lost\n", k.Best, k.MaxP99Ms)
		printLoad(&b, k.At)
	}
	if h := r.History; h != nil {
		fmt.Fprintf(&b, "history    %d messages, %.0f bytes each, written at %.1f µs CPU; pages of %d at %.1f µs CPU\n",
			h.Messages, h.Each, h.WriteCPU, h.PageLimit, h.PageCPU)
		printPercentiles(&b, "pages", h.Pages)
	}
	if !r.Supported {
		fmt.Fprintf(&b, "NOT RUN    the server does not answer %s\n", r.Missing)
	}
	if r.Baseline != nil {
		b.WriteString("-- undisturbed\n")
		printLoad(&b, r.Baseline)
		b.WriteString("-- disturbed\n")
	}
	printLoad(&b, r.Load)
	_, err := io.WriteString(w, b.String())
	return err
}

// printSwept writes the costs at each value with their growth, and then the jumps.
func printSwept(w io.Writer, s scenario.Swept) error {
	var b strings.Builder
	for _, p := range s.Points {
		fmt.Fprintf(&b, "%s=%d\n", s.By, p.Value)
		for _, name := range slices.Sorted(maps.Keys(p.Costs)) {
			fmt.Fprintf(&b, "  %-36s %12.2f", name, p.Costs[name])
			if growth, known := p.Growth[name]; known {
				fmt.Fprintf(&b, "  ×%.2f", growth)
			}
			b.WriteByte('\n')
		}
		if p.Fault != "" {
			fmt.Fprintf(&b, "  FAULT %s\n", p.Fault)
		}
	}
	for _, jump := range s.Jumps {
		fmt.Fprintf(&b, "JUMP %s\n", jump)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printPhase(b *strings.Builder, name string, p *scenario.Phase) {
	if p == nil {
		return
	}
	fmt.Fprintf(b, "%-10s %d of %d in %.2f s", name, p.Done, p.Wanted, p.Seconds)
	if p.Took != nil {
		fmt.Fprintf(b, ", p50 %.1f ms, p99 %.1f ms", p.Took.P50, p.Took.P99)
	}
	if p.ServerCPUMicros > 0 {
		fmt.Fprintf(b, ", server CPU %.0f µs each", p.ServerCPUMicros)
	}
	if p.Retries > 0 || len(p.Errors) > 0 {
		fmt.Fprintf(b, ", %d retries, errors %v", p.Retries, p.Errors)
	}
	b.WriteByte('\n')
}

func printLoad(b *strings.Builder, l *scenario.Load) {
	if l == nil {
		return
	}
	d := l.Deliveries
	fmt.Fprintf(b, "sends      %d at %.1f/s by %d clients: %d accepted, refused %v, unsent %v, %d unanswered\n",
		l.Intended, l.Rate, l.Senders, l.Accepted, l.Refused, l.Unsent, l.Unanswered)
	fmt.Fprintf(b, "deliveries %d expected, %d received, %d lost, %d doubled, %d reordered (%.0f/s; %d decoded in full, %d malformed)\n",
		d.Expected, d.Received, d.Lost, d.Doubled, d.Reordered, l.PerSecond, l.Checked, l.Malformed)
	printPercentiles(b, "latency", l.Latency)
	printPercentiles(b, "last one", l.LastOne)
	printPercentiles(b, "acks", l.Acks)
	printBeside(b, l)
	if l.ServerCores > 0 {
		fmt.Fprintf(b, "server     %.2f µs CPU per delivery (%.2f with %.0f other events/s), %.2f cores, %.1f MiB resident (peak %.1f)\n",
			l.ServerCPUMicros, l.ServerCPUPerEvent, l.EventsPerSecond, l.ServerCores, float64(l.ServerRSS)/mib, float64(l.ServerPeakRSS)/mib)
	}
	fmt.Fprintf(b, "generator  %.2f µs CPU per delivery, %.2f cores, late p99 %.2f ms, max %.2f ms\n",
		l.OwnCPUMicros, l.OwnCores, l.Late.P99, l.Late.Max)
	if fault := l.Fault(); fault != "" {
		fmt.Fprintf(b, "FAULT      %s\n", fault)
	}
}

// printBeside writes what happened besides the messages.
func printBeside(b *strings.Builder, l *scenario.Load) {
	if t := l.Typing; t != nil {
		fmt.Fprintf(b, "typing     %d sent at %.0f/s by %d clients, unsent %v, %d heard\n", t.Sent, t.Rate, t.Typists, t.Unsent, t.Heard)
	}
	if c := l.Churn; c != nil {
		fmt.Fprintf(b, "churn      %d joins and %d leaves of %d members (%d skipped, refused %v, unsent %v, %d unanswered)\n",
			c.Joins, c.Leaves, c.Members, c.Skipped, c.Refused, c.Unsent, c.Unanswered)
		fmt.Fprintf(b, "           to them %d expected, %d received, %d lost, %d doubled, %d reordered, %d while out\n",
			c.Deliveries.Expected, c.Deliveries.Received, c.Deliveries.Lost, c.Deliveries.Doubled, c.Deliveries.Reordered, c.Strays)
		printPercentiles(b, "joins", c.JoinTook)
		printPercentiles(b, "leaves", c.LeaveTook)
	}
	if c := l.Confirmations; c != nil {
		fmt.Fprintf(b, "confirmed  %d complete, %d partial, %d missing, %d twice, %d miscounted (%d asked for, %d of them again)\n",
			c.Complete, c.Partial, c.Missing, c.Doubled, c.Miscounted, c.Asked, c.Resent)
		printPercentiles(b, "reports", c.Latency)
	}
	printRecovery(b, l.Recovery)
	if l.StalledEnded > 0 {
		fmt.Fprintf(b, "stalled    %d stuck connections given up by the server\n", l.StalledEnded)
	}
}

func printRecovery(b *strings.Builder, r *swarm.Recovered) {
	if r == nil {
		return
	}
	fmt.Fprintf(b, "dropped    %d in %.0f ms: %d back, %d recovered, %d joined anew, %d whole (share %.4f); %d retries, errors %v\n",
		r.Dropped, r.CutTook, r.Back, r.Recovered, r.Rejoined, r.Whole, r.Share, r.Retries, r.Errors)
	fmt.Fprintf(b, "           last one back after %.0f ms; %d deliveries were owed to those recovered when they came back\n", r.LastBack, r.Missed)
	printPercentiles(b, "back", r.BackTook)
	printPercentiles(b, "caught up", r.CaughtUp)
	printPercentiles(b, "stayed", r.Stayed)
	if r.ServerCPUMicros > 0 {
		fmt.Fprintf(b, "           server CPU %.0f µs each, %.1f MiB resident before, %.1f at most, %.1f after\n",
			r.ServerCPUMicros, float64(r.RSSBefore)/mib, float64(r.RSSPeak)/mib, float64(r.RSSAfter)/mib)
	}
}

func printPercentiles(b *strings.Builder, name string, p tally.Percentiles) {
	fmt.Fprintf(b, "%-10s p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  max %.2f ms\n", name, p.P50, p.P90, p.P99, p.P999, p.Max)
}
