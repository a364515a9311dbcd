package chart

import (
	"math"
	"strconv"
)

// scale maps the values of an axis to 0…1 of its length.
type scale struct {
	log       bool
	low, high float64 // the axis's ends; their log10 if log
	empty     bool    // there is no point
}

// scaleOf returns a scale for all points of the series, of their Y or their X. Linear axes begin at 0, so that lengths
// can be compared.
func scaleOf(log bool, series []Series, y bool) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range series {
		for _, p := range s.Points {
			if y {
				low, high = min(low, p.Y, p.Low), max(high, p.Y, p.High)
				continue
			}
			low, high = min(low, p.X), max(high, p.X)
		}
	}
	if low > high {
		return scale{empty: true}
	}
	if !log {
		return linear(high)
	}
	const room = 0.05 // of a decade, so that markers stay inside
	s := scale{log: true, low: math.Log10(low) - room, high: math.Log10(high) + room}
	if y {
		s.low, s.high = math.Log10(roundDown(low)), math.Log10(roundUp(high))
	}
	if s.high-s.low < 1e-9 {
		s.high = s.low + 1
	}
	return s
}

func linear(high float64) scale {
	if high <= 0 {
		return scale{high: 1}
	}
	step := stepOf(high)
	return scale{high: math.Ceil(high/step-1e-9) * step}
}

// stepOf returns the distance between ticks, of which about five reach high: 1, 2 or 5 times a power of ten.
func stepOf(high float64) float64 {
	raw := high / 5
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*power {
			return m * power
		}
	}
	return 10 * power
}

func (s scale) at(v float64) float64 {
	if s.log {
		v = math.Log10(v)
	}
	return min(max((v-s.low)/(s.high-s.low), 0), 1)
}

// ticks returns round values on the axis. On a logarithmic axis of more than three decades these are powers of ten only.
func (s scale) ticks() (ticks []float64) {
	if !s.log {
		step := stepOf(s.high)
		for i := 0; float64(i)*step <= s.high*(1+1e-9); i++ {
			ticks = append(ticks, float64(i)*step)
		}
		return ticks
	}
	const eps = 1e-6
	for e := math.Floor(s.low); e <= s.high; e++ {
		for _, m := range []float64{1, 2, 5} {
			if m != 1 && s.high-s.low > 3 {
				continue
			}
			if l := e + math.Log10(m); l >= s.low-eps && l <= s.high+eps {
				ticks = append(ticks, m*math.Pow(10, e))
			}
		}
	}
	return ticks
}

// roundDown and roundUp return the nearest 1, 2 or 5 times a power of ten below and above.
func roundDown(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{5, 2} {
		if v >= m*power {
			return m * power
		}
	}
	return power
}

func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

func number(v float64) string {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64) // 0.30000000000000004
	if math.Abs(v) >= 10_000 && math.Mod(v, 1000) == 0 {
		return strconv.FormatFloat(v/1000, 'f', -1, 64) + "k"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
