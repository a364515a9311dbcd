package pace

import (
	"fmt"
	"math"
)

// Trial is the outcome of one rate.
type Trial struct {
	Rate float64 `json:"rate"`
	Held bool    `json:"held"`
	Why  string  `json:"why,omitempty"` // what broke, if it did not hold
}

// Found is the outcome of a search.
type Found struct {
	Best   float64 `json:"best"` // highest rate that held, 0 if none
	Trials []Trial `json:"trials"`
}

// Search looks for the highest rate that holds.
type Search struct {
	Start     float64 // first rate tried, per second, over 0
	Max       float64 // highest rate tried
	Precision float64 // the search ends when the best rate and the lowest failed one are within this factor, over 1
	Retries   int     // how often a rate that failed is tried again
}

// maxHalvings bounds the way down from a start that does not hold.
const maxHalvings = 6

// Run doubles the rate until one fails, or halves it until one holds, and then closes in by geometric means. It fails if
// the search makes no sense; an error of try ends it, and what was found so far is returned with the error.
func (s Search) Run(try func(rate float64) (Trial, error)) (Found, error) {
	if s.Start <= 0 || s.Precision <= 1 || s.Max < s.Start {
		return Found{}, fmt.Errorf("pace: no search from %g to %g by a factor of %g", s.Start, s.Max, s.Precision)
	}
	c := climb{Search: s, try: try}
	high, err := c.bracket()
	for err == nil && c.Best > 0 && high > c.Best*s.Precision {
		rate := math.Round(math.Sqrt(c.Best*high)*10) / 10
		if rate <= c.Best || rate >= high {
			break
		}
		var held bool
		if held, err = c.holds(rate); err == nil && !held {
			high = rate
		}
	}
	return c.Found, err
}

// climb is a search under way.
type climb struct {
	Search
	Found
	try func(rate float64) (Trial, error)
}

// bracket leaves in Best a rate that held and returns one that failed, or Max.
func (c *climb) bracket() (high float64, err error) {
	rate := c.Start
	held, err := c.holds(rate)
	if err != nil {
		return 0, err
	}
	if held {
		for held && rate < c.Max && err == nil {
			rate = min(rate*2, c.Max)
			held, err = c.holds(rate)
		}
		return rate, err
	}
	for range maxHalvings {
		high, rate = rate, rate/2
		if held, err = c.holds(rate); held || err != nil {
			return high, err
		}
	}
	return high, nil
}

// holds tries the rate, again up to Retries times while it fails.
func (c *climb) holds(rate float64) (bool, error) {
	for range c.Retries + 1 {
		t, err := c.try(rate)
		if err != nil {
			return false, err
		}
		c.Trials = append(c.Trials, t)
		if t.Held {
			c.Best = rate
			return true, nil
		}
	}
	return false, nil
}
