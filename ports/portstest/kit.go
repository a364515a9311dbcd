package portstest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// start is the time that the suites begin at.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// assertContextError accepts success too: a store need not look at the context.
func assertContextError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		assert.ErrorIs(t, err, context.Canceled)
	}
}

// inParallel calls f n times at once and waits for all.
func inParallel(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func trues(all []bool) int {
	n := 0
	for _, b := range all {
		if b {
			n++
		}
	}
	return n
}
