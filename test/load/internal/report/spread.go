//go:build linux

package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// spread is the median and the ends of n values.
type spread struct {
	n                int
	low, median, top float64
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	v := slices.Sorted(slices.Values(values))
	mid := len(v) / 2
	s := spread{n: len(v), low: v[0], median: v[mid], top: v[len(v)-1]}
	if len(v)%2 == 0 {
		s.median = (v[mid-1] + v[mid]) / 2
	}
	return s
}

const nothing = "–"

func (s spread) text(format string) string {
	switch s.n {
	case 0:
		return nothing
	case 1:
		return fmt.Sprintf(format, s.median)
	}
	return fmt.Sprintf(format+" ("+format+"–"+format+")", s.median, s.low, s.top)
}

// over returns the ratio of two medians. There is none if a median is missing or, as a difference can be, negative.
func (s spread) over(other spread) (float64, bool) {
	if s.n == 0 || other.n == 0 || s.median < 0 || other.median <= 0 {
		return 0, false
	}
	return s.median / other.median, true
}

func ratio(a, b spread) string {
	v, ok := a.over(b)
	switch {
	case !ok:
		return nothing
	case v >= 9.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// thousands formats a number as in 10,000 and 13.3, with at most one decimal.
func thousands(v float64) string {
	s := strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	whole, rest, found := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if found {
		whole += "." + rest
	}
	return whole
}
