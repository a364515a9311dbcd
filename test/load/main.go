//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"parley/test/load/internal/compare"
	"parley/test/load/internal/scenario"
)

// Exit codes.
const (
	exitFault = 1 // the run failed, or found faults
	exitUsage = 2 // the command line is wrong, or the result could not be written
)

func main() { os.Exit(run()) }

func run() int {
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		err = o.checkFiles()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.sweeps {
		return runSweeps(ctx, o)
	}
	if o.compare {
		return runCompare(ctx, o)
	}
	if o.sweep.By != "" {
		return runSweep(ctx, o)
	}
	result, err := scenario.Run(ctx, o.scenario)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
	}
	if err := o.print(os.Stdout, result); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		return exitUsage
	}
	if err != nil || faulty(result.Load) || faulty(result.Baseline) {
		return exitFault
	}
	return 0
}

func runSweep(ctx context.Context, o options) int {
	swept, err := o.sweep.Run(ctx, o.scenario)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
	}
	var printed error
	if o.json {
		printed = encode(os.Stdout, swept)
	} else {
		printed = printSwept(os.Stdout, swept)
	}
	if printed != nil {
		fmt.Fprintln(os.Stderr, "load:", printed)
		return exitUsage
	}
	if err != nil || sweptFaulty(swept) {
		return exitFault
	}
	return 0
}

func sweptFaulty(s scenario.Swept) bool {
	return slices.ContainsFunc(s.Points, func(p scenario.Point) bool { return p.Fault != "" })
}

func runSweeps(ctx context.Context, o options) int {
	sweeps, err := compare.Sweeps(ctx, o.rounds)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
	}
	if sweeps == nil {
		return exitFault
	}
	var printed error
	if o.json {
		printed = encode(os.Stdout, sweeps)
	} else {
		printed = sweeps.WriteMarkdown(os.Stdout)
	}
	if printed != nil {
		fmt.Fprintln(os.Stderr, "load:", printed)
		return exitUsage
	}
	if err != nil || slices.ContainsFunc(sweeps.Swept, sweptFaulty) {
		return exitFault
	}
	return 0
}

func faulty(l *scenario.Load) bool { return l != nil && l.Fault() != "" }

func runCompare(ctx context.Context, o options) int {
	report, err := compare.Run(ctx, o.rounds)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		return exitFault
	}
	if o.json {
		err = encode(os.Stdout, report)
	} else {
		err = report.WriteMarkdown(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		return exitUsage
	}
	if len(report.Faults) > 0 {
		return exitFault
	}
	return 0
}

func (o options) print(w *os.File, r scenario.Result) error {
	if !o.json {
		return printResult(w, r)
	}
	return encode(w, r)
}

func encode(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
