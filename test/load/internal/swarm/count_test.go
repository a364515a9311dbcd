//go:build linux

package swarm

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRun_sizeOf(t *testing.T) {
	r := &run{size: 16 << 10, maxSize: 64 << 10}
	sum, least, most := 0, r.maxSize, 0
	const n = 1000
	for k := range uint64(n) {
		size := r.sizeOf(k)
		sum, least, most = sum+size, min(least, size), max(most, size)
	}
	assert.InDelta(t, 40<<10, sum/n, 500, "spread evenly")
	assert.InDelta(t, 16<<10, least, 200)
	assert.InDelta(t, 64<<10, most, 200)
	assert.LessOrEqual(t, most, 64<<10)

	one := &run{size: 128, maxSize: 128}
	assert.Equal(t, 128, one.sizeOf(7))
}
